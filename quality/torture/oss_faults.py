"""
Every call to OSS x every fault, over real sockets: in time, under its code, repeated only where that may be.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from function.credentials import StsCredentials
from function.errors import UploadError
from function.http.client import send
from function.oss.client import BUDGET_SECONDS, OssClient, budget
from function.oss.multipart import StoredPart, abort, complete, initiate, list_parts
from function.oss.objects import copy_object, delete_object, get_record, head_object, put_record
from quality.torture.report import Result, try_cells
from tests.support import stage
from tests.support.broken_server import SLOW_SECONDS, WIRE, Fault, answers, serving
from tests.support.canaries import Watch

NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
SLACK_SECONDS = 5.0  # for a busy machine; a hang is far longer
AT_A_TIME = 24
UNAVAILABLE, REJECTED, DONE = "oss_unavailable", "oss_rejected", ""


@dataclass(frozen=True)
class Tried:
    """
    One of the calls.

    Args:
        good: what OSS answers when all is well, byte for byte.

        is_repeatable: whether it may be sent twice.

        says_nothing: whether any 200 is a success of it; of the others, one that cannot be read is none.
    """

    call: Callable[[OssClient], Any]
    good: bytes
    is_repeatable: bool
    says_nothing: bool = False


def _answer(status: int, body: bytes = b"", head: bytes = b"") -> bytes:
    length = b"" if b"Content-Length" in head else b"Content-Length: %d\r\n" % len(body)
    return b"HTTP/1.1 %d X\r\n%s%sConnection: close\r\n\r\n%s" % (status, head, length, body)


def _result(name: str, inner: str = "") -> bytes:
    return _answer(200, f"<{name}Result>{inner}</{name}Result>".encode())


HEAD = b'Content-Length: 9\r\nETag: "E"\r\nLast-Modified: Tue, 24 Nov 2026 14:00:01 GMT\r\n'
CALLS: Mapping[str, Tried] = {
    "HeadObject": Tried(lambda oss: head_object(oss, "u/a"), _answer(200, head=HEAD), True),
    "GetObject": Tried(lambda oss: get_record(oss, "u/a"), _answer(200, b"{}"), True, says_nothing=True),
    "PutObject": Tried(lambda oss: put_record(oss, "u/a", b"{}"), _answer(200), True, says_nothing=True),
    "PutObject, the first": Tried(
        lambda oss: put_record(oss, "u/a", b"{}", forbid_overwrite=True),
        _answer(200),
        False,
        says_nothing=True,
    ),
    "DeleteObject": Tried(lambda oss: delete_object(oss, "u/a"), _answer(204), True),
    "CopyObject": Tried(
        lambda oss: copy_object(oss, "u/a", "u/b", acl="private", source_etag="E"),
        _result("CopyObject"),
        False,
    ),
    "InitiateMultipartUpload": Tried(
        lambda oss: initiate(oss, "u/a", {}),
        _result("InitiateMultipartUpload", "<UploadId>1</UploadId>"),
        False,
    ),
    "ListParts": Tried(lambda oss: list_parts(oss, "u/a", "1"), _result("ListParts"), True),
    "CompleteMultipartUpload": Tried(
        lambda oss: complete(oss, "u/a", "1", [StoredPart(1, 5, "E")], acl="private", forbid_overwrite=True),
        _result("CompleteMultipartUpload"),
        False,
    ),
    "AbortMultipartUpload": Tried(lambda oss: abort(oss, "u/a", "1"), _answer(204), True),
}


def _error(status: int, code: str) -> Fault:
    return answers(status, f"<Error><Code>{code}</Code><Message>canary-of-oss</Message></Error>".encode())


SAID = {
    "rejected": _error(403, "AccessDenied"),
    "null_error": answers(404, b"null"),
    "not_utf8": answers(400, b"\xff\xfe"),
    "status_500": answers(500, b"<html>"),
    "status_503": _error(503, "ServiceUnavailable"),
    "throttled": _error(503, "DownloadTrafficRateLimitExceeded"),
    "malformed": answers(200, b"<a><b>"),
    "empty": answers(200, b""),
    "redirect": answers(302, b""),
}
FAULTS = (*WIRE, *SAID)
# What is never heard, or not whole, might have been done.
UNHEARD = {*WIRE} - {"slow"} | {"status_500", "status_503", "throttled"}
# A HEAD's answer has no body that could be cut, late or huge: what is left of these says nothing.
OF_A_BODY = {"truncated", "huge", "slow_body"}
REFUSING = {"rejected", "null_error", "not_utf8", "redirect"}


@dataclass(frozen=True)
class Cell:
    call: str
    fault: str

    def __str__(self) -> str:
        return f"{self.call} / {self.fault}"


def cells() -> Iterator[Cell]:
    for call in CALLS:
        for fault in FAULTS:
            yield Cell(call, fault)


def expected(cell: Cell) -> tuple[str, int]:
    """The code that the call ends with, "" for success, and how often it is sent."""
    tried = CALLS[cell.call]
    if cell.call == "HeadObject" and cell.fault in OF_A_BODY:
        return UNAVAILABLE, 1
    if cell.fault in UNHEARD:
        return UNAVAILABLE, 2 if tried.is_repeatable else 1
    if cell.fault in REFUSING:
        return REJECTED, 1
    if cell.fault == "slow" or tried.says_nothing:
        return DONE, 1
    # A 200 that does not say what it must; of what is answered with 204, it is no success at all.
    return (REJECTED if tried.good.startswith(b"HTTP/1.1 204") else UNAVAILABLE), 1


def attempt(cell: Cell, watch: Watch) -> str:
    """What went wrong in this cell; empty when it was as documented."""
    tried = CALLS[cell.call]

    def late(connection: Any, _good: bytes) -> None:
        time.sleep(SLOW_SECONDS)
        connection.sendall(tried.good)

    faults = {**WIRE, **SAID, "slow": Fault(late)}
    sent: list[str] = []

    def counted(method: str, url: str, **options: Any) -> Any:
        sent.append(method)
        return send(method, url, **options)

    secret, token = watch.plant("objects-secret"), watch.plant("objects-token")
    credentials = StsCredentials("STS.Objects", secret, token, NOW + timedelta(hours=1))
    with serving(faults[cell.fault], lambda: b"{}") as origin:
        oss = OssClient(stage.BUCKET, "cn-hangzhou", origin, credentials, NOW, counted, budget())
        started = time.monotonic()
        code, words = DONE, ""
        try:
            tried.call(oss)
        except UploadError as error:
            code, words = error.code, f"{error!r}{vars(error)}"
        took = time.monotonic() - started
    watch.search(f"{words}{oss!r}", "exception")
    if "canary-of-oss" in words:
        return "told what OSS said"
    wanted = expected(cell)
    if (code, len(sent)) != wanted:
        code, documented, times = code or "success", wanted[0] or "success", wanted[1]
        return f"ended in {code} after {len(sent)}, documented is {documented} after {times}"
    if took > BUDGET_SECONDS + SLACK_SECONDS:
        return f"took {took:.1f} s, allowed are {BUDGET_SECONDS:.1f}"
    return ""


def run(only: Callable[[Cell], bool] = lambda cell: True) -> Result:
    """Try every cell that ``only`` takes."""
    watch = Watch()
    wanted = filter(only, cells())
    return try_cells("calls to OSS", wanted, lambda cell: attempt(cell, watch), AT_A_TIME, watch=watch)
