"""OSS in memory, strict about signatures: forms, parts, versions, listings, the rule of ``held/``."""

import hashlib
import json
import re
import time
from base64 import b64decode, b64encode, urlsafe_b64decode
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from heapq import merge
from io import BytesIO
from itertools import groupby, islice
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from function.app import Function
from function.http.client import DEFAULT_MAX_BYTES, ExchangeFailed, HttpResponse
from function.sts.credentials import StsCredentials
from local.common.accounts import AccessKey, Accounts
from local.common.ram_policy import Facts, fits, is_allowed
from local.oss.request import Request, read_request
from local.oss.request_signature import authenticate
from local.oss.rules import OssRules
from tests.support.key_pages import Sorted, encoded, last_of, number_in, token_of, xml_of

LEAST_PART = 100 * 1024
INSTANT = "%Y-%m-%dT%H:%M:%S.000Z"
HTTP_DATE = "%a, %d %b %Y %H:%M:%S GMT"
# Rules of an OSS whose processing drops all metadata of a picture.
NOTHING_KEPT: dict[str, Any] = {name: False for name in vars(OssRules()) if name.startswith("variants_keep_")}
# What each call needs of the session behind it.
ACTIONS = {
    "InitiateMultipartUpload": ("oss:PutObject",),
    "UploadPart": ("oss:PutObject",),
    "ListParts": ("oss:ListParts",),
    "CompleteMultipartUpload": ("oss:PutObject", "oss:PutObjectAcl"),
    "AbortMultipartUpload": ("oss:AbortMultipartUpload",),
    "HeadObject": ("oss:GetObject",),
    "GetObject": ("oss:GetObject",),
    # And to write where the result goes, when the body was read.
    "PostProcessTask": ("oss:PostProcessTask",),
    "PutObject": ("oss:PutObject", "oss:PutObjectAcl"),
    "CopyObject": ("oss:PutObject", "oss:PutObjectAcl"),
    "PutObjectACL": ("oss:PutObjectAcl",),
    "DeleteObject": ("oss:DeleteObject",),
    "ListObjectsV2": ("oss:ListObjects",),
    "ListObjectVersions": ("oss:ListObjectVersions",),
    "ListMultipartUploads": ("oss:ListMultipartUploads",),
    # Of each key, when the body was read.
    "DeleteMultipleObjects": (),
}
HELD, CLEAN = "held/", "held/.clean/"
CALLS = {
    ("POST", "uploads"): "InitiateMultipartUpload",
    ("PUT", "uploadId"): "UploadPart",
    ("GET", "uploadId"): "ListParts",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("POST", "x-oss-process"): "PostProcessTask",
    ("HEAD", ""): "HeadObject",
    ("GET", ""): "GetObject",
    ("PUT", ""): "PutObject",
    ("PUT", "copy"): "CopyObject",
    ("PUT", "acl"): "PutObjectACL",
    ("DELETE", ""): "DeleteObject",
}
BUCKET_CALLS = {
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "versions"): "ListObjectVersions",
    ("GET", "uploads"): "ListMultipartUploads",
    ("POST", "delete"): "DeleteMultipleObjects",
}
BUCKET_MARKS = {mark for _, mark in BUCKET_CALLS}
# Before the work is done, or after: then the answer is lost on its way.
UNHEARD, LOST, BROKEN, BROKEN_AFTER, DENIED = "unheard", "lost", "broken", "broken after", "denied"
# The work is done, but the answer comes late, or says nothing.
SLOW, MALFORMED = "slow", "malformed"
# A copy that began, and ends with ``land``, long after anyone waits for it.
LATE = "late"
SLOW_SECONDS = 0.1


@dataclass(frozen=True)
class Part:
    """What stands in for the bytes of one part."""

    name: str
    size: int

    @property
    def etag(self) -> str:
        text = f"{self.name} {self.size}".encode()
        return hashlib.md5(text, usedforsecurity=False).hexdigest().upper()


@dataclass(frozen=True)
class Stored:
    """One object; ``headers`` as they were sent when it was begun, names in lower case."""

    parts: tuple[Part, ...]
    headers: Mapping[str, str]
    acl: str
    kind: str = "Multipart"
    body: bytes = b""

    @property
    def size(self) -> int:
        return sum(part.size for part in self.parts)

    @property
    def content(self) -> bytes:
        """The bytes that a GET returns; what a form sent has its name alone."""
        return self.body or "".join(part.name for part in self.parts).encode()

    @property
    def etag(self) -> str:
        if self.body:
            return hashlib.md5(self.body, usedforsecurity=False).hexdigest().upper()
        if self.kind == "Normal":
            return self.parts[0].etag
        tags = "".join(part.etag for part in self.parts).encode()
        return f"{hashlib.md5(tags, usedforsecurity=False).hexdigest().upper()}-{len(self.parts)}"


@dataclass
class Open:
    """An upload that is neither completed nor aborted."""

    key: str
    headers: Mapping[str, str]
    begun_at: datetime
    parts: dict[int, Part] = field(default_factory=dict)


class Version(NamedTuple):
    """A version of an object, or a delete marker where nothing is stored."""

    id: str
    stored: Stored | None
    at: datetime


class Late(NamedTuple):
    """What is under way: the key that will be written, and what it is made of."""

    key: str
    source: Stored
    write: Callable[[], Any]


class Snapshot(NamedTuple):
    """What is stored in a bucket at one moment."""

    objects: Mapping[str, Stored]
    stored_at: Mapping[str, datetime]
    uploads: tuple[tuple[str, Open], ...]
    under_way: tuple[Late, ...]
    begun: int


class Refused(Exception):
    """What OSS answers to what it does not take."""

    def __init__(self, status: int, code: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.headers = headers or {}


class MemoryOss:
    """
    One bucket.

    Args:
        now: whose clock signatures, and the lifecycle rule, are held to.

    Attributes:
        asked: the name of each call that was let in or not, in order.

        faults: of each call by its name, what the next ones suffer from.

        between: of each call by its name, what happens just before the next one is served.

        stored_at: when each object was stored, where that was noted.

        pause: what happens in the middle of a copy, between looking at the source and writing.

        under_way: the copies that are late, each with what it found under the source's name.

        longest_page: how many keys a page holds at most, however many are asked for.

        versioning: empty, ``Enabled`` or ``Suspended``.

        past: by key, newest first, what is no current object: earlier versions and delete markers.

        retained: keys that nobody may delete.

        no_version: what a bucket that never had versioning calls the version of an object; where it takes no
            ``versionId``, ``takes_null`` is false.

        picture_rules: how the local OSS, which processes pictures for this one, does it; by default without
            leaving metadata.

        refuses_whole: whether a deletion of many ends at a key that may not be deleted, or leaves it out.
    """

    def __init__(self, bucket: str, region: str, now: Callable[[], datetime]) -> None:
        self.now = now
        self.objects: Sorted[Stored] = Sorted()
        self.uploads: dict[str, Open] = {}
        self.begun = 0
        self.asked: list[str] = []
        self.faults: dict[str, deque[str]] = {}
        self.next_fault = ""
        self.stored_at: dict[str, datetime] = {}
        self.between: dict[str, Callable[[], Any]] = {}
        self.requests: list[Request] = []
        self.pause: Callable[[], Any] = lambda: None
        self.under_way: list[Late] = []
        self.longest_page = 1000
        self.versioning = ""
        self.past: Sorted[list[Version]] = Sorted()
        self.ids: dict[str, str] = {}
        self.written = 0
        self.retained: set[str] = set()
        self.no_version, self.takes_null, self.refuses_whole = "null", True, True
        self.picture_rules = OssRules(**NOTHING_KEPT)
        self._bucket: Any = SimpleNamespace(
            name=bucket,
            region=region,
            accounts=Accounts(),
            rules=SimpleNamespace(date_ahead=timedelta(minutes=15), expired_url_is_400=False),
            now=now,
        )

    def give_sessions(self, function: Function, life: timedelta = timedelta(hours=1)) -> None:
        """Let this instance have this bucket's sessions without STS: each may do what its policy says."""
        instance = function.ready()
        for session, policy in instance.settings.session_policies.items():
            purpose, bucket, role_arn = session
            if bucket == self._bucket.name:
                name = f"{purpose}.{role_arn.rpartition('/')[2]}"
                issuer = self._issuer(purpose, name, json.loads(policy), life)
                instance.credentials[session].assume_role = issuer

    def _issuer(self, purpose: str, name: str, policy: Any, life: timedelta) -> Any:
        def assume_role(_own: Any, now: datetime, *, attempts: int) -> StsCredentials:
            key_id, ends = f"STS.{name}", now + life
            # A role's secret is another one each time; here it need not be.
            secret = f"secret-of-{purpose}-in-{self._bucket.name}"
            key = AccessKey(key_id, secret, f"CAIS{purpose}/+==", ends, (policy,))
            self._bucket.accounts.add(key)
            return StsCredentials(key_id, key.access_key_secret, str(key.security_token), ends)

        return assume_role

    def send(
        self,
        method: str,
        url: str,
        *,
        budget_seconds: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int = DEFAULT_MAX_BYTES,
        query: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        """In place of the function's network."""
        assert not query, "the function signs its queries"
        answer = self.serve(method, url, headers or {}, body or b"")
        if len(answer.body) > max_bytes:
            raise ExchangeFailed("response over the size limit")
        return answer

    def fail(self, name: str, *faults: str) -> None:
        """What the next calls of this name suffer from, one each."""
        self.faults[name] = deque(faults)

    def fault_of_the_next(self, fault: str) -> None:
        """What the next call suffers from, whichever it is."""
        self.next_fault = fault

    @property
    def name(self) -> str:
        return str(self._bucket.name)

    @staticmethod
    def name_of(method: str, url: str, headers: Mapping[str, str]) -> str:
        """The name of a call that may come."""
        target = urlsplit(url)._replace(scheme="", netloc="").geturl()
        return _name_of(read_request(method, target, headers.items()))

    def lets_in(self, url: str) -> bool:
        """Whether this URL is served to those who have nothing else."""
        where = urlsplit(url)
        target = where._replace(scheme="", netloc="").geturl()
        try:
            self._let_in(read_request("GET", target, [("host", where.netloc)]), "GetObject")
        except Refused:
            return False
        return True

    def store(self, key: str, body: bytes, **headers: str) -> None:
        """An object as it is after a form or a PutObject; headers with ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._store(key, Stored((Part(key, len(body)),), named, "private", "Normal", body))

    def put(self, part: Mapping[str, Any], headers: Mapping[str, str], name: str, size: int) -> int:
        """Send a part as a client does: its status."""
        sent = {"content-length": str(size), **{key.lower(): value for key, value in headers.items()}}
        return self.serve("PUT", part["url"], sent, name.encode(), size).status

    def serve(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, size: int | None = None
    ) -> HttpResponse:
        """
        Args:
            size: of the body, where it only has a name.
        """
        where = urlsplit(url)
        target = where._replace(scheme="", netloc="").geturl()
        request = read_request(method, target, [("host", where.netloc), *headers.items()])
        name = _name_of(request)
        self.asked.append(name)
        self.requests.append(request)
        if happens := self.between.pop(name, None):
            happens()
        waiting = self.faults.get(name)
        fault = waiting.popleft() if waiting else self.next_fault
        self.next_fault = ""
        if fault == UNHEARD:
            raise ExchangeFailed("ConnectionResetError")
        if fault == BROKEN:
            return _error(500, "InternalError")
        try:
            if fault == DENIED:
                raise Refused(403, "AccessDenied")
            self._let_in(request, name)
            if fault == LATE:
                self._begin(request, name, body)
            serve = getattr(self, f"_{_snake(name)}")
            answer: HttpResponse = serve(request, body, size)
        except Refused as refused:
            answer = _error(refused.status, refused.code, refused.headers, is_head=method == "HEAD")
        if fault in (LOST, LATE):
            raise ExchangeFailed("RemoteDisconnected")
        if fault == SLOW:
            time.sleep(SLOW_SECONDS)
        if fault == MALFORMED:
            # Of a HEAD only the entity tag is missing.
            return HttpResponse(
                200, b"{,", {"last-modified": self.now().strftime(HTTP_DATE), "content-length": "2"}
            )
        return _error(500, "InternalError") if fault == BROKEN_AFTER else answer

    def _needs(self, request: Request, name: str) -> list[tuple[str, str]]:
        """The actions that a call needs, each with the key that it is about."""
        ending = "Version" if "versionId" in request.query else ""
        needed = [(action + ending, request.key) for action in ACTIONS[name]]
        return [*needed, ("oss:GetObject", self._source_of(request))] if name == "CopyObject" else needed

    def _let_in(self, request: Request, name: str) -> None:
        from local.oss.errors import OssError

        try:
            key = authenticate(request, self._bucket)
        except OssError:
            raise Refused(403, "SignatureDoesNotMatch") from None
        # Only a request to list has a prefix that a condition can be held against.
        facts = {"oss:prefix": request.query.get("prefix")} if name == "ListObjectsV2" else {}
        if key is None or not all(
            self._is_allowed(key, action, about, facts) for action, about in self._needs(request, name)
        ):
            raise Refused(403, "AccessDenied")

    def _is_allowed(self, key: AccessKey, action: str, about: str, facts: Facts | None = None) -> bool:
        resource = f"acs:oss:*:*:{self._bucket.name}/{about}".removesuffix("/")
        return is_allowed(key.policies, action, lambda pattern: fits(pattern, resource), facts)

    def _upload(self, request: Request) -> Open:
        upload = self.uploads.get(request.query["uploadId"])
        if upload is None or upload.key != request.key:
            raise Refused(404, "NoSuchUpload")
        return upload

    def _initiate_multipart_upload(self, request: Request, body: bytes, _size: Any) -> HttpResponse:
        if self._is_taken(request):
            raise Refused(409, "FileAlreadyExists")
        assert not body and "x-oss-object-acl" not in request.headers
        self.begun += 1
        upload_id = hashlib.sha256(str(self.begun).encode()).hexdigest()[:32].upper()
        self.uploads[upload_id] = Open(request.key, request.headers, self.now())
        return document("InitiateMultipartUpload", f"<UploadId>{upload_id}</UploadId>")

    def _upload_part(self, request: Request, body: bytes, size: int | None) -> HttpResponse:
        upload, number = self._upload(request), int(request.query["partNumber"])
        if not 1 <= number <= 10_000:
            raise Refused(400, "InvalidArgument")
        upload.parts[number] = Part(body.decode(), len(body) if size is None else size)
        return HttpResponse(200, b"", {"etag": f'"{upload.parts[number].etag}"'})

    def _list_parts(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        upload = self._upload(request)
        most, after = (int(request.query[name]) for name in ("max-parts", "part-number-marker"))
        assert 1 <= most <= 1000
        numbers = [number for number in sorted(upload.parts) if number > after]
        listed = "".join(
            f"<Part><PartNumber>{number}</PartNumber><LastModified>2026-11-24T14:00:00.000Z</LastModified>"
            f'<ETag>"{upload.parts[number].etag}"</ETag><Size>{upload.parts[number].size}</Size></Part>'
            for number in numbers[:most]
        )
        is_cut = "true" if len(numbers) > most else "false"
        return document("ListParts", f"<IsTruncated>{is_cut}</IsTruncated>{listed}")

    def _complete_multipart_upload(self, request: Request, body: bytes, _size: Any) -> HttpResponse:
        upload = self._upload(request)
        wanted = [
            (int(part.findtext("PartNumber", "")), part.findtext("ETag", "").strip('"'))
            for part in ElementTree.fromstring(body).findall("Part")
        ]
        numbers = [number for number, _ in wanted]
        if not numbers or numbers != sorted(set(numbers)):
            raise Refused(400, "InvalidPartOrder")
        if any(number not in upload.parts or upload.parts[number].etag != etag for number, etag in wanted):
            raise Refused(400, "InvalidPart")
        parts = tuple(upload.parts[number] for number in numbers)
        if any(part.size < LEAST_PART for part in parts[:-1]):
            raise Refused(400, "EntityTooSmall")
        if self._is_taken(request):
            raise Refused(409, "FileAlreadyExists")
        stored = Stored(parts, upload.headers, request.headers["x-oss-object-acl"])
        self._store(request.key, stored)
        del self.uploads[request.query["uploadId"]]
        return document("CompleteMultipartUpload", f'<Key>x</Key><ETag>"{stored.etag}"</ETag>')

    def _abort_multipart_upload(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        self._upload(request)
        del self.uploads[request.query["uploadId"]]
        return HttpResponse(204, b"")

    def _head_object(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        stored = self._current(request.key)
        told = ("x-oss-meta-", "content-encoding")
        kept = {name: value for name, value in stored.headers.items() if name.startswith(told)}
        return HttpResponse(
            200,
            b"",
            {
                **kept,
                "content-length": str(stored.size),
                "content-type": stored.headers["content-type"],
                "etag": f'"{stored.etag}"',
                "last-modified": self.stored_at.setdefault(request.key, self.now()).strftime(HTTP_DATE),
                "x-oss-object-type": stored.kind,
            },
        )

    def _list_objects_v2(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        query = request.query
        assert (query["list-type"], query["encoding-type"]) == ("2", "url") and "delimiter" not in query
        prefix, most = query.get("prefix", ""), number_in(query, "max-keys", 100)
        token = query.get("continuation-token")
        last = query.get("start-after", "") if token is None else last_of(token, prefix)
        if last is None or most is None:
            raise Refused(400, "InvalidArgument")
        most = min(most, self.longest_page)
        keys = list(islice(self.objects.after(prefix, last), most + 1))
        listed = "".join(
            f"<Contents>{xml_of(Key=encoded(key), **self._facts(key))}</Contents>" for key in keys[:most]
        )
        cut = len(keys) > most
        more = xml_of(NextContinuationToken=encoded(token_of(prefix, keys[most - 1]))) if cut else ""
        return document(
            "ListBucket", xml_of(EncodingType="url", IsTruncated=str(cut).lower()) + more + listed
        )

    def records(self) -> dict[str, Any]:
        """What the function remembers, by name without ``held/.``."""
        return {
            key.removeprefix("held/."): json.loads(stored.body)
            for key, stored in self.objects.items()
            if key.startswith("held/.") and not key.startswith(CLEAN)
        }

    def names(self) -> set[str]:
        """The keys of all objects but the records."""
        return {key for key in self.objects if not key.startswith("held/.")}

    def post(self, form: Mapping[str, str], name: str, size: int = 1, body: bytes = b"") -> int:
        """Send a form as a phone does, with a body or with what stands in for one: its status."""
        policy = json.loads(b64decode(form["policy"]))
        ends = datetime.fromisoformat(policy["expiration"])
        pinned = {
            item: value
            for entry in policy["conditions"]
            if isinstance(entry, dict)
            for item, value in entry.items()
        }
        signature = {"policy", "x-oss-signature", "signature", "OSSAccessKeyId"}
        unpinned = set(form) - set(pinned) - {*signature, "key"}
        assert not unpinned - {
            name for name in form if ["eq", f"${name}", form[name]] in policy["conditions"]
        }
        if ends <= self.now():
            return 403
        if form["x-oss-forbid-overwrite"] == "true" and form["key"] in self.objects:
            return 409
        headers = {field.lower(): value for field, value in form.items()}
        headers["content-type"] = form["x-oss-content-type"]
        part = Part(name, len(body) or size)
        self._store(form["key"], Stored((part,), headers, form["x-oss-object-acl"], "Normal", body))
        return 200

    def expire(self, days: int, only: Callable[[str], bool] = lambda _key: True) -> int:
        """What the rule on ``held/`` does: delete what is older than that, records as well; how many."""
        oldest = self.now() - timedelta(days=days)
        old = [key for key in self.objects if key.startswith(HELD) and self.stored_at[key] <= oldest]
        chosen = [key for key in old if only(key)]
        for key in chosen:
            del self.objects[key]
        return len(chosen)

    def _facts(self, key: str) -> dict[str, str]:
        return _facts_of(self.objects[key], self.stored_at.setdefault(key, self.now()))

    def _store(self, key: str, stored: Stored) -> None:
        if self.versioning:
            following = self._set_aside(key)
            self.ids[key] = following
        self.objects[key] = stored
        self.stored_at[key] = self.now()

    def _source_of(self, request: Request) -> str:
        _, bucket, key = unquote(request.headers["x-oss-copy-source"]).split("/", 2)
        assert bucket == self._bucket.name
        return key

    def _is_taken(self, request: Request) -> bool:
        forbids = request.headers.get("x-oss-forbid-overwrite") == "true" and not self.versioning
        return forbids and request.key in self.objects

    def _put_object(self, request: Request, body: bytes, _size: Any) -> HttpResponse:
        if self._is_taken(request):
            raise Refused(409, "FileAlreadyExists")
        if digest := request.headers.get("content-md5"):
            assert b64decode(digest) == hashlib.md5(body, usedforsecurity=False).digest()
        acl = request.headers["x-oss-object-acl"]
        stored = Stored((Part(body.hex(), len(body)),), request.headers, acl, "Normal", body)
        self._store(request.key, stored)
        return HttpResponse(200, b"", {"etag": f'"{stored.etag}"'})

    def _put_object_acl(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        stored = self._current(request.key)
        self.objects[request.key] = replace(stored, acl=request.headers["x-oss-object-acl"])
        return HttpResponse(200, b"")

    def _get_object(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        stored = self._current(request.key)
        headers = {"etag": f'"{stored.etag}"'}
        if encoding := stored.headers.get("content-encoding"):
            headers["content-encoding"] = encoding
        if request.headers.get("if-match", headers["etag"]) != headers["etag"]:
            raise Refused(412, "PreconditionFailed")
        if asked := request.headers.get("range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            return HttpResponse(206, stored.content[int(first) : int(last) + 1], headers)
        process = request.query.get("x-oss-process", "")
        return HttpResponse(200, process.encode() + stored.content, headers)

    def _current(self, key: str) -> Stored:
        if (stored := self.objects.get(key)) is not None:
            return stored
        raise Refused(404, "NoSuchKey", {"x-oss-delete-marker": "true"} if self.past.get(key) else {})

    def _delete_object(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        version, is_marker = self._delete(request.key, request.query.get("versionId"))
        headers = {"x-oss-version-id": version} if version else {}
        return HttpResponse(204, b"", headers | ({"x-oss-delete-marker": "true"} if is_marker else {}))

    def _delete(self, key: str, version: str | None = None) -> tuple[str, bool]:
        """The version that was made or deleted, and whether it is a delete marker."""
        if key in self.retained and (key in self.objects or key in self.past):
            raise Refused(409, "FileImmutable")
        if version is not None:
            return version, self._delete_version(key, version)
        if not self.versioning:
            self._forget(key)
            return "", False
        marker = self._set_aside(key)
        self._forget(key)
        self.past[key] = [Version(marker, None, self.now()), *self.past.get(key, [])]
        return marker, True

    def _forget(self, key: str) -> None:
        for known in (self.objects, self.stored_at, self.ids):
            known.pop(key, None)

    def _delete_version(self, key: str, version: str) -> bool:
        if not self.versioning and not (version == "null" and self.takes_null):
            raise Refused(400, "InvalidArgument")
        past = self.past.get(key, [])
        gone = next((each for each in past if each.id == version), None)
        if key in self.objects and self.ids.get(key, "null") == version:
            self._forget(key)
        left = [each for each in past if each is not gone]
        if key not in self.objects and left and left[0].stored is not None:
            # What is newest now is the object again.
            self.objects[key], self.ids[key], self.stored_at[key] = left[0].stored, left[0].id, left[0].at
            left = left[1:]
        self.past[key] = left
        if not left:
            del self.past[key]
        return gone is not None and gone.stored is None

    def _set_aside(self, key: str) -> str:
        """Make what there is of a key a past version; the id of what comes now."""
        self.written += 1
        # There is one version at most of the time without versions.
        following = f"CAEQ{self.written:015}" if self.versioning == "Enabled" else "null"
        past = [each for each in self.past.get(key, []) if each.id != "null" or following != "null"]
        current, own = self.objects.get(key), self.ids.get(key, "null")
        if current is not None and not own == following == "null":
            past.insert(0, Version(own, current, self.stored_at[key]))
        if past:
            self.past[key] = past
        else:
            self.past.pop(key, None)
        return following

    def _delete_multiple_objects(self, request: Request, body: bytes, _size: Any) -> HttpResponse:
        digest = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        sent = request.headers.get("content-md5")
        if sent != digest:
            raise Refused(400, "InvalidDigest" if sent else "InvalidArgument")
        is_quiet, wanted = _wanted_in(body)
        signer = authenticate(request, self._bucket)
        assert signer is not None
        encode = encoded if request.query.get("encoding-type") == "url" else escape
        deleted = ""
        for key, version in wanted:
            action = "oss:DeleteObject" if version is None else "oss:DeleteObjectVersion"
            try:
                if not self._is_allowed(signer, action, key):
                    raise Refused(403, "AccessDenied")
                made, is_marker = self._delete(key, version)
            except Refused:
                if self.refuses_whole:
                    raise
                continue
            told = {"Key": encode(key)} | ({} if version is None else {"VersionId": version})
            marker = {"DeleteMarker": "true", "DeleteMarkerVersionId": made} if is_marker else {}
            deleted += f"<Deleted>{xml_of(**told, **marker)}</Deleted>"
        frame = xml_of(EncodingType="url") if encode is encoded else ""
        return HttpResponse(200, b"") if is_quiet else document("Delete", frame + deleted)

    def _list_object_versions(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        query = request.query
        assert (query["versions"], query["encoding-type"]) == ("", "url") and "delimiter" not in query
        prefix, most = query.get("prefix", ""), number_in(query, "max-keys", 100)
        after, id_marker = query.get("key-marker", ""), query.get("version-id-marker", "")
        if most is None or (id_marker and not after):
            raise Refused(400, "InvalidArgument")
        most = min(most, self.longest_page)
        found: list[tuple[str, Version, bool]] = []
        including = bool(id_marker)
        keys = merge(*(some.after(prefix, after, including) for some in (self.objects, self.past)))
        for key, _ in groupby(keys):
            versions = self._versions_of(key)
            begin = _place_of(id_marker, versions) if key == after and id_marker else 0
            found += [(key, version, at == 0) for at, version in enumerate(versions) if at >= begin]
            if len(found) > most:
                break
        listed = "".join(self._listed_version(*each) for each in found[:most])
        frame = {"EncodingType": "url", "IsTruncated": str(len(found) > most).lower()}
        if len(found) > most:
            key, version, _ = found[most - 1]
            frame |= {"NextKeyMarker": encoded(key), "NextVersionIdMarker": version.id}
        return document("ListVersions", xml_of(**frame) + listed)

    def _versions_of(self, key: str) -> list[Version]:
        if key not in self.objects:
            return self.past.get(key, [])
        own = self.ids.get(key, "null" if self.versioning else self.no_version)
        at = self.stored_at.setdefault(key, self.now())
        return [Version(own, self.objects[key], at), *self.past.get(key, [])]

    def _listed_version(self, key: str, version: Version, is_latest: bool) -> str:
        frame = {"Key": encoded(key), "VersionId": version.id, "IsLatest": str(is_latest).lower()}
        if version.stored is None:
            return (
                f"<DeleteMarker>{xml_of(**frame, LastModified=version.at.strftime(INSTANT))}</DeleteMarker>"
            )
        return f"<Version>{xml_of(**frame, **_facts_of(version.stored, version.at))}</Version>"

    def _list_multipart_uploads(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        query = request.query
        assert (query["uploads"], query["encoding-type"]) == ("", "url") and "delimiter" not in query
        prefix, most = query.get("prefix", ""), number_in(query, "max-uploads", 1000)
        if most is None:
            raise Refused(400, "InvalidArgument")
        most = min(most, self.longest_page)
        after, id_marker = query.get("key-marker", ""), query.get("upload-id-marker")
        # Behind every id, where none is named.
        marker = (after, id_marker or "~")
        found = sorted((upload.key, id) for id, upload in self.uploads.items())
        found = [each for each in found if each[0].startswith(prefix) and each > marker]
        begun = [(key, id, self.uploads[id].begun_at.strftime(INSTANT)) for key, id in found[:most]]
        listed = "".join(
            f"<Upload>{xml_of(Key=encoded(key), UploadId=id, Initiated=at)}</Upload>" for key, id, at in begun
        )
        # Which may be there at the end, too.
        last, last_id = found[:most][-1] if found else ("", "")
        frame = {"EncodingType": "url", "IsTruncated": str(len(found) > most).lower()}
        markers = xml_of(NextKeyMarker=encoded(last), NextUploadIdMarker=last_id)
        return document("ListMultipartUploads", xml_of(**frame) + markers + listed)

    def _copy_object(self, request: Request, body: bytes, _size: Any) -> HttpResponse:
        source = self._source_for(request)
        assert not body
        try:
            self.pause()
        finally:
            # Whoever asked may be no more; what was asked for is done.
            answer = self._write_copy(request, source)
        return answer

    def _begin(self, request: Request, name: str, body: bytes) -> None:
        if name == "CopyObject":
            source = self._source_for(request)
            late = Late(request.key, source, lambda: self._write_copy(request, source))
        else:
            target, made = self._processed(request, body)
            late = Late(target, made, lambda: self._store(target, made))
        self.under_way.append(late)
        raise ExchangeFailed("timed out")

    def _post_process_task(self, request: Request, body: bytes, _size: Any) -> HttpResponse:
        target, made = self._processed(request, body)
        self._store(target, made)
        return HttpResponse(200, json.dumps({"object": target, "status": "OK"}).encode())

    def _processed(self, request: Request, body: bytes) -> tuple[str, Stored]:
        """The key of the result, and the result."""
        digest = b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        assert request.headers["content-md5"] == digest
        matched = re.fullmatch(r"x-oss-process=image/(.+)\|sys/saveas,o_([^,]+),b_(.+)", body.decode())
        assert matched is not None
        steps, key, bucket = matched.groups()
        target, name = (urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode() for text in (key, bucket))
        assert name == self._bucket.name
        signer = authenticate(request, self._bucket)
        assert signer is not None
        if not self._is_allowed(signer, "oss:PutObject", target):
            raise Refused(403, "AccessDenied")
        content_type, data = _rendered(self._current(request.key).body, steps, self.picture_rules)
        headers = {"content-type": content_type}
        return target, Stored((Part(target, len(data)),), headers, "default", "Normal", data)

    def land(self) -> None:
        """The copies that are late come to their end."""
        for late in self.under_way:
            with suppress(Refused):
                late.write()
        self.under_way.clear()

    def snapshot(self) -> "Snapshot":
        """What is stored and under way in a bucket without versions, to be restored any number of times."""
        assert not self.versioning and not self.past
        uploads = tuple((id, replace(one, parts=dict(one.parts))) for id, one in self.uploads.items())
        late = tuple(self.under_way)
        return Snapshot(dict(self.objects), dict(self.stored_at), uploads, late, self.begun)

    def restore(self, snapshot: "Snapshot") -> None:
        """Have again what was stored and under way, and forget which calls were made since."""
        self.objects = Sorted()
        for key, stored in snapshot.objects.items():
            self.objects[key] = stored
        self.stored_at = dict(snapshot.stored_at)
        self.uploads = {id: replace(one, parts=dict(one.parts)) for id, one in snapshot.uploads}
        self.under_way, self.begun = [*snapshot.under_way], snapshot.begun
        for calls in (self.asked, self.requests):
            calls.clear()

    def _source_for(self, request: Request) -> Stored:
        source = self.objects.get(self._source_of(request))
        if source is None:
            raise Refused(404, "NoSuchKey")
        wanted = request.headers.get("x-oss-copy-source-if-match", source.etag).strip('"')
        if wanted != source.etag:
            raise Refused(412, "PreconditionFailed")
        return source

    def _write_copy(self, request: Request, source: Stored) -> HttpResponse:
        if self._is_taken(request):
            raise Refused(409, "FileAlreadyExists")
        replaces = request.headers.get("x-oss-metadata-directive") == "REPLACE"
        attributes = request.headers if replaces else source.headers
        kept = {**attributes, "x-oss-storage-class": request.headers["x-oss-storage-class"]}
        self._store(request.key, replace(source, headers=kept, acl=request.headers["x-oss-object-acl"]))
        return document("CopyObject", f'<ETag>"{source.etag}"</ETag>')

    def age(self, days: int) -> None:
        """What the lifecycle rule does: forget uploads that were begun so many days ago."""
        oldest = self.now() - timedelta(days=days)
        self.uploads = {name: upload for name, upload in self.uploads.items() if upload.begun_at > oldest}

    def replace_object(self, key: str, **changes: Any) -> None:
        """Somebody with keys of their own changes what is stored."""
        self._store(key, replace(self.objects[key], **changes))


def _name_of(request: Request) -> str:
    if not request.key:
        return next(BUCKET_CALLS[request.method, mark] for mark in request.query if mark in BUCKET_MARKS)
    marks = ("uploads", "uploadId", "acl", *(["x-oss-process"] if request.method == "POST" else []))
    mark = next((mark for mark in marks if mark in request.query), "")
    return CALLS[request.method, "copy" if "x-oss-copy-source" in request.headers else mark]


def _rendered(data: bytes, steps: str, rules: OssRules) -> tuple[str, bytes]:
    # Pillow is loaded by the first picture.
    from local.oss.errors import OssError
    from local.oss.image_steps import IMAGE_STEPS, read_steps
    from local.oss.pictures import render

    try:
        made = render(BytesIO(data), read_steps(steps, IMAGE_STEPS), rules)
    except OssError as error:
        raise Refused(error.refusal.status, error.refusal.code) from None
    return made.content_type, made.data


def _wanted_in(body: bytes) -> tuple[bool, list[tuple[str, str | None]]]:
    """Whether it is quiet, and the keys with their versions."""
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        raise Refused(400, "MalformedXML") from None
    wanted = [(each.findtext("Key"), each.findtext("VersionId")) for each in root.findall("Object")]
    named = [(key, version) for key, version in wanted if key]
    if root.tag != "Delete" or not 1 <= len(named) == len(wanted) <= 1000 or len(body) > 2 * 1024 * 1024:
        raise Refused(400, "MalformedXML")
    return root.findtext("Quiet") == "true", named


def _facts_of(stored: Stored, at: datetime) -> dict[str, str]:
    facts = {"LastModified": at.strftime(INSTANT), "ETag": f'"{stored.etag}"', "Size": str(stored.size)}
    return {**facts, "StorageClass": "Standard"}


@cache
def _snake(name: str) -> str:
    return re.sub("(?<!^)(?<![A-Z])([A-Z])", r"_\1", name).lower()


def _place_of(id_marker: str, versions: list[Version]) -> int:
    """Where the versions of a key begin that are older than this one, which may be gone."""
    for place, version in enumerate(versions):
        if version.id == id_marker or version.id < id_marker and "null" not in (version.id, id_marker):
            return place + (version.id == id_marker)
    return len(versions)


def document(name: str, inner: str) -> HttpResponse:
    return HttpResponse(200, f"<{name}Result>{inner}</{name}Result>".encode())


def _error(
    status: int, code: str, more: Mapping[str, str] | None = None, is_head: bool = False
) -> HttpResponse:
    xml = f"<Error><Code>{code}</Code><Message>canary text</Message></Error>".encode()
    headers = {"x-oss-request-id": "5F00REQUEST", "x-oss-ec": "0000-00000001", **(more or {})}
    if is_head:
        return HttpResponse(status, b"", {**headers, "x-oss-err": b64encode(xml).decode()})
    return HttpResponse(status, xml, headers)
