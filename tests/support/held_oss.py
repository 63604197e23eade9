"""
An OSS in memory that keeps whole objects as well: forms, copies, deletions, small markers, and a rule that
lets what is below ``held/`` expire.

As strict as the one it extends: each call is signed, and allowed by the session behind it.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from function.http.client import HttpResponse
from local.oss.request import Request
from tests.support.parted_oss import Part, PartedOss, Refused, Stored, document

ACTIONS = {
    "GetObject": ("oss:GetObject",),
    "PutObject": ("oss:PutObject", "oss:PutObjectAcl"),
    "CopyObject": ("oss:PutObject", "oss:PutObjectAcl"),
    "DeleteObject": ("oss:DeleteObject",),
}
HELD = "held/"


class HeldOss(PartedOss):
    """
    One bucket.

    Attributes:
        pause: what happens in the middle of a copy, between looking at the source and writing.
    """

    def __init__(self, bucket: str, region: str, now: Callable[[], datetime]) -> None:
        super().__init__(bucket, region, now)
        self.pause: Callable[[], Any] = lambda: None

    def markers(self) -> dict[str, Any]:
        """What the function remembers, by name without ``held/.``."""
        return {
            key.removeprefix("held/."): json.loads(stored.body)
            for key, stored in self.objects.items()
            if key.startswith("held/.")
        }

    def names(self) -> set[str]:
        """The keys of all objects but the markers."""
        return {key for key in self.objects if not key.startswith("held/.")}

    def post(self, form: Mapping[str, str], name: str, size: int = 1) -> int:
        """Send a form as a phone does: its status."""
        policy = json.loads(b64decode(form["policy"]))
        ends = datetime.fromisoformat(policy["expiration"])
        pinned = {
            item: value
            for entry in policy["conditions"]
            if isinstance(entry, dict)
            for item, value in entry.items()
        }
        unpinned = set(form) - set(pinned) - {"policy", "x-oss-signature", "key"}
        assert not unpinned - {
            name for name in form if ["eq", f"${name}", form[name]] in policy["conditions"]
        }
        if ends <= self.now():
            return 403
        if form["x-oss-forbid-overwrite"] == "true" and form["key"] in self.objects:
            return 409
        headers = {field.lower(): value for field, value in form.items()}
        headers["content-type"] = form["x-oss-content-type"]
        self._store(form["key"], Stored((Part(name, size),), headers, form["x-oss-object-acl"], "Normal"))
        return 200

    def expire(self, days: int, only: Callable[[str], bool] = lambda _key: True) -> int:
        """What the rule on ``held/`` does: delete what is older than that, markers as well; how many."""
        oldest = self.now() - timedelta(days=days)
        old = [key for key in self.objects if key.startswith(HELD) and self.stored_at[key] <= oldest]
        chosen = [key for key in old if only(key)]
        for key in chosen:
            del self.objects[key]
        return len(chosen)

    def _store(self, key: str, stored: Stored) -> None:
        self.objects[key] = stored
        self.stored_at[key] = self.now()

    def _name_of(self, request: Request, mark: str) -> str:
        if mark or request.method == "HEAD":
            return super()._name_of(request, mark)
        if request.method == "PUT":
            return "CopyObject" if "x-oss-copy-source" in request.headers else "PutObject"
        return {"GET": "GetObject", "DELETE": "DeleteObject"}[request.method]

    def _needs(self, request: Request, name: str) -> list[tuple[str, str]]:
        if name not in ACTIONS:
            return super()._needs(request, name)
        needed = [(action, request.key) for action in ACTIONS[name]]
        if name == "CopyObject":
            needed.append(("oss:GetObject", self._source_of(request)))
        return needed

    def _source_of(self, request: Request) -> str:
        _, bucket, key = unquote(request.headers["x-oss-copy-source"]).split("/", 2)
        assert bucket == self._bucket.name
        return key

    def _is_refused(self, request: Request) -> bool:
        return request.headers.get("x-oss-forbid-overwrite") == "true" and request.key in self.objects

    def _put_object(self, request: Request, body: bytes, _size: Any) -> HttpResponse:
        if self._is_refused(request):
            raise Refused(409, "FileAlreadyExists")
        part = Part(body.hex(), len(body))
        acl = request.headers["x-oss-object-acl"]
        self._store(request.key, Stored((part,), request.headers, acl, "Normal", body))
        return HttpResponse(200, b"", {"etag": f'"{part.etag}"'})

    def _get_object(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        stored = self.objects.get(request.key)
        if stored is None:
            raise Refused(404, "NoSuchKey")
        return HttpResponse(200, stored.body, {"etag": f'"{stored.etag}"'})

    def _delete_object(self, request: Request, _body: bytes, _size: Any) -> HttpResponse:
        self.objects.pop(request.key, None)
        return HttpResponse(204, b"")

    def _copy_object(self, request: Request, body: bytes, _size: Any) -> HttpResponse:
        source = self.objects.get(self._source_of(request))
        if source is None:
            raise Refused(404, "NoSuchKey")
        if request.headers["x-oss-copy-source-if-match"].strip('"') != source.etag:
            raise Refused(412, "PreconditionFailed")
        assert not body
        try:
            self.pause()
        finally:
            # Whoever asked may be no more; what was asked for is done.
            answer = self._write_copy(request, source)
        return answer

    def _write_copy(self, request: Request, source: Stored) -> HttpResponse:
        if self._is_refused(request):
            raise Refused(409, "FileAlreadyExists")
        kept = {**source.headers, "x-oss-storage-class": request.headers["x-oss-storage-class"]}
        self._store(request.key, replace(source, headers=kept, acl=request.headers["x-oss-object-acl"]))
        return document("CopyObject", f'<ETag>"{source.etag}"</ETag>')
