"""Questions about stored objects, signed URLs and hosts; contracts by the function's own calls."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests

from function.config.profile import ACL_FIELD
from function.config.settings import Settings
from function.errors import OssUnavailable, UploadError
from function.oss.client import OssClient
from function.oss.objects import (
    copy_object,
    delete_object,
    first_bytes,
    get_record,
    head_object,
    put_record,
    read_range,
)
from function.oss.presign import PROCESS
from function.sts.session_policy import READ
from ops.client.form_upload import LOOPBACK
from ops.doctor.evidence import NotTried, accepted, evidence, reason_of, text_in
from ops.doctor.proof.point import Seen, are_all, is_refused, is_stored_already, told
from ops.doctor.proof.sandbox import DOT, Sandbox

OTHER_ETAG = "0" * 32
KEPT = {"content-type": "text/plain", "cache-control": "no-cache", "x-oss-meta-upload-id": "prove"}
INHERITING = {**KEPT, ACL_FIELD: "default"}
ODD_NAME = "a b+c%20?#&~照片"
# Dates of objects are in whole seconds.
A_SECOND = 1.1
LONG_AGO = timedelta(hours=1)


def _etag(oss: OssClient, key: str) -> str:
    facts = head_object(oss, key)
    return facts.etag if facts else ""


def record_is_written_once(sandbox: Sandbox) -> Seen:
    oss, key = sandbox.client(), sandbox.new_key()
    put_record(oss, key, b"{}", forbid_overwrite=True)
    seen = is_stored_already(lambda: put_record(oss, key, b"[]", forbid_overwrite=True))
    return seen if get_record(oss, key) == b"{}" else told(False, seen.evidence)


def _copy(sandbox: Sandbox, key: str, target: str, etag: str = "", **more: Any) -> str:
    """Copy as the function does, by default what is stored; empty where it was not done."""
    oss = sandbox.client()
    return copy_object(oss, key, target, acl="private", source_etag=etag or _etag(oss, key), **more)


def copy_is_made_once(sandbox: Sandbox) -> Seen:
    key, target = sandbox.put(), sandbox.new_key()
    if not _copy(sandbox, key, target):
        return told(False, "-")
    return is_stored_already(lambda: _copy(sandbox, key, target))


def copy_takes_no_other_bytes(sandbox: Sandbox) -> Seen:
    target = sandbox.new_key()
    copied = _copy(sandbox, sandbox.put(), target, OTHER_ETAG)
    return told(not copied and head_object(sandbox.client(), target) is None, "-")


def copy_needs_a_source(sandbox: Sandbox) -> Seen:
    return told(not _copy(sandbox, sandbox.new_key(), sandbox.new_key(), OTHER_ETAG), "-")


def copy_keeps_what_it_should(sandbox: Sandbox) -> Seen:
    """Bytes, type, headers and metadata; the ACL is the one that the copy names."""
    key, target = sandbox.put(INHERITING), sandbox.new_key()
    _copy(sandbox, key, target)
    answers = [accepted(sandbox.call("HEAD", one)).headers for one in (key, target)]
    kept = [[headers.get(name) for name in KEPT] for headers in answers]
    grant = text_in(accepted(sandbox.call("GET", target, query={"acl": ""})), "Grant")
    is_same = kept[0] == kept[1] and get_record(sandbox.client(), target) == DOT
    return told(is_same and grant == "private", f"{kept[1]} {grant}")


def copy_replaces_what_it_should(sandbox: Sandbox) -> Seen:
    target, replaced = sandbox.new_key(), {"content-type": "image/png", "x-oss-meta-other": "new"}
    _copy(sandbox, sandbox.put(KEPT), target, replaced=replaced)
    headers = accepted(sandbox.call("HEAD", target)).headers
    seen = [headers.get(name) for name in ("content-type", "x-oss-meta-other", "x-oss-meta-upload-id")]
    return told(seen == ["image/png", "new", None], str(seen))


def absence_is_named(sandbox: Sandbox) -> Seen:
    """HeadObject has no body to say so."""
    oss, key = sandbox.client(), sandbox.new_key()
    # Who may not list may be refused.
    accepted(sandbox.call("GET", "", query={"list-type": "2", "prefix": key, "max-keys": "1"}))
    try:
        is_named = head_object(oss, key) is None and get_record(oss, key) is None
    except UploadError as error:
        return told(False, reason_of(error))
    return told(is_named, "NoSuchKey")


def deletion_repeats(sandbox: Sandbox) -> Seen:
    oss, key = sandbox.client(), sandbox.put()
    for _ in range(2):
        delete_object(oss, key)
    return told(head_object(oss, key) is None, "HTTP 204")


def stored_again_is_younger(sandbox: Sandbox) -> Seen:
    """The same bytes under the same name; another object lies between."""
    oss, key = sandbox.client(), sandbox.put()
    between = sandbox.put()
    sandbox.sleep(A_SECOND)
    sandbox.put(key=key)
    facts = [head_object(oss, one) for one in (between, key)]
    dates = [one.last_modified for one in facts if one]
    return told(dates == sorted(set(dates)) and len(dates) == 2, " / ".join(map(str, dates)))


def range_is_exact(sandbox: Sandbox) -> Seen:
    oss, key = sandbox.client(), sandbox.put(body=b"0123")
    whole, _ = first_bytes(oss, key, 10)
    part = read_range(oss, key, 1, 2, _etag(oss, key))
    return told((whole, part) == (b"0123", b"12"), f"{whole!r} {part!r}")


def range_takes_no_other_bytes(sandbox: Sandbox) -> Seen:
    try:
        read_range(sandbox.client(), sandbox.put(), 0, 1, OTHER_ETAG)
    except OssUnavailable as error:
        return told("412" in error.reason, reason_of(error))
    return told(False, "HTTP 206")


def url_holds_each_item(sandbox: Sandbox) -> Seen:
    """Each item of a signed URL is changed, then left out; one is added; method and key change."""
    session = sandbox.session(READ)
    key, other_key = sandbox.put(KEPT), sandbox.put(KEPT)
    url = sandbox.url("GET", key, by=session)
    accepted(sandbox.send("GET", url))
    parts = urlsplit(url)
    items = parts.query.split("&")

    def tried(name: str, method: str, *left: str, path: str = parts.path) -> Seen:
        changed = urlunsplit(parts._replace(path=path, query="&".join(filter(None, left))))
        seen = is_refused(sandbox.send(method, changed))
        return seen._replace(evidence=f"{name}: {seen.evidence}")

    def all_tried() -> Iterator[Seen]:
        for at, item in enumerate(items):
            for other in (f"{item}0", ""):
                yield tried(item.partition("=")[0], "GET", *items[:at], other, *items[at + 1 :])
        yield tried(PROCESS, "GET", *items, f"{PROCESS}=image/info")
        yield tried("PUT", "PUT", *items)
        yield tried("DELETE", "DELETE", *items)
        yield tried("key", "GET", *items, path=f"/{other_key}")

    return are_all(all_tried())


def url_reads_the_object(sandbox: Sandbox) -> Seen:
    key = sandbox.put(key=f"{sandbox.new_folder()}{ODD_NAME}")
    answer = accepted(sandbox.send("GET", sandbox.url("GET", key, by=sandbox.session(READ))))
    return told(answer.content == DOT, f"{len(answer.content)} bytes")


def block_public_access(sandbox: Sandbox) -> Seen:
    """For a moment a byte may be public: a point, gone after this question."""
    accepted(sandbox.call("HEAD", sandbox.put()))
    key = sandbox.new_key()
    return is_refused(sandbox.call("PUT", key, headers={"x-oss-object-acl": "public-read"}, body=b"."))


def _default_host(settings: Settings) -> str:
    """The bucket's own public address; of a local OSS the one that plays it."""
    host = urlsplit(settings.host)
    if host.hostname in LOOPBACK:
        return urlunsplit(host._replace(netloc=f"127.0.0.1:{host.port}"))
    return f"https://{settings.bucket}.oss-{settings.region}.aliyuncs.com"


def _at_default_host(sandbox: Sandbox) -> requests.Response:
    host = _default_host(sandbox.settings)
    url = sandbox.url("GET", sandbox.put(), origin=host)
    try:
        return sandbox.send("GET", url)
    except requests.RequestException as error:
        raise NotTried(f"{host} does not answer ({type(error).__name__})") from None


def public_endpoint_forbidden(sandbox: Sandbox) -> Seen:
    answer = _at_default_host(sandbox)
    return told(text_in(answer, "Code") == "PublicEndpointForbidden", evidence(answer))


def default_host_downloads(sandbox: Sandbox) -> Seen:
    answer = accepted(_at_default_host(sandbox))
    forced = answer.headers.get("x-oss-force-download", "")
    return told(forced == "true", f"x-oss-force-download: {forced or '-'}")


def private_reads_need_signature(sandbox: Sandbox) -> Seen:
    return is_refused(sandbox.send("GET", f"{sandbox.settings.host}/{sandbox.put()}"))


def response_type_fixed(sandbox: Sandbox) -> Seen:
    query = {"response-content-type": "image/png"}
    return is_refused(sandbox.send("GET", sandbox.url("GET", sandbox.put(), query=query)))


def absence_told_to_listers_only(sandbox: Sandbox) -> Seen:
    session = sandbox.session("oss:GetObject")
    accepted(sandbox.call("HEAD", sandbox.put(), by=session))
    answer = sandbox.call("HEAD", f"{sandbox.folder}nothing-has-this-name", by=session)
    if answer.status_code not in (403, 404):
        raise NotTried(f"HTTP {answer.status_code}")
    return told(answer.status_code == 403, evidence(answer))


def expired_url_is_400(sandbox: Sandbox) -> Seen:
    answer = sandbox.send("GET", sandbox.url("GET", sandbox.put(), at=sandbox.now - LONG_AGO))
    if answer.status_code not in (400, 403):
        raise NotTried(f"HTTP {answer.status_code}")
    return told(answer.status_code == 400, evidence(answer))


def identity_encoding(sandbox: Sandbox) -> Seen:
    """Find how ``Content-Encoding: identity`` comes back."""
    key = sandbox.put({"content-encoding": "identity"})
    kept = accepted(sandbox.call("HEAD", key)).headers.get("Content-Encoding")
    said = f"kept as {kept}" if kept else "dropped"
    return Seen(None, said, f"Content-Encoding: {kept or '-'}")
