"""uploads.tickets, uploads.receipt: odd claims are refused, even under a good signature."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from function.app import load_settings
from function.auth.tokens import PARTS, RECEIPT, TICKET
from function.errors import Forbidden
from function.uploads.receipt import Receipt
from function.uploads.tickets import FormTicket, MultipartTicket
from tests.support.cases import text_beside

SECRET = "token-secret-canary-0123456789abcdef"
PROFILES = text_beside(__file__)
NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
LATER, START = NOW + timedelta(seconds=60), datetime(1970, 1, 1, 0, 0, 0, 500_000, UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COMMON = {
    "jti": "A" * 22,
    "key": "videos/o/a.mp4",
    "profile": "video",
    "sub": "me",
    "owner": "o",
    "bucket": "my-bucket",
    "iat": SECONDS,
    "exp": SECONDS + 60,
}
FORM = {**COMMON, "aud": TICKET, "type": "video/mp4", "sizes": [1, 9]}
MULTIPART = {**COMMON, "aud": PARTS, "upload": "0004", "size": 9, "part": 5, "type": "video/mp4"}
STORED = {**COMMON, "aud": RECEIPT, "size": 9, "etag": "E7A6", "mimeType": "video/mp4", "seen": True}
NO_TEXT = (..., None, 5, True, ["a"], {"a": 1}, "\ud800")
NO_KEY = (*NO_TEXT, "", "x" * 1024)
NO_ID = (*NO_TEXT, "", "../a", "a.b", "é", "x" * 129)
NO_COUNT = (..., None, "9", True, 1.5, -1, 2**53 + 1, float("nan"), [9])
NO_TIME = (..., None, "1", True, float("nan"), float("inf"), [1])
NO_SUBJECT = (..., None, 5, True, "", "x" * 256)
# What both kinds of tickets take for granted.
OPTIONAL = {
    "context": ("text", ["a"], 5, {"a": "x" * 256}, {"a": "\ud800"}, {"a": float("nan")}),
    "sha256": (None, 5, ["a"], "\ud800"),
}
ODD = {
    (FormTicket, "FORM"): {
        "jti": NO_ID,
        "key": NO_KEY,
        "folder": (None, 5, ["a"], "\ud800"),
        "type": NO_TEXT,
        "sizes": (..., None, 9, "19", [], [1], [1, 2, 3], [None, 9], [1, "9"], [1, True], {"a": 1}, [-1, 9]),
        "profile": (*NO_TEXT, "gone"),
        "sub": NO_SUBJECT,
        "owner": NO_TEXT,
        "bucket": (..., None, "other-bucket", ["my-bucket"]),
        "app": ("wxother", ["wxother"]),
        "trace": (None, 5, "no trace", f"{TRACE}\r\nX-A: b", TRACE.upper()),
        "iat": (*NO_TIME, -1, 1e15, 10**400),
        **OPTIONAL,
    },
    (MultipartTicket, "MULTIPART"): {
        "jti": NO_ID,
        "upload": NO_TEXT,
        "key": NO_KEY,
        "size": (*NO_COUNT, 0, 5 * 10_000 + 1),
        "part": (*NO_COUNT, 0),
        "type": NO_TEXT,
        "profile": (*NO_TEXT, "gone", "plain"),
        "sub": NO_SUBJECT,
        "owner": NO_TEXT,
        "bucket": (..., "other-bucket"),
        "app": ("wxother",),
        "iat": (*NO_TIME, -1, 1e15, 10**400),
        "exp": (*NO_TIME, 1e15, 10**400, 253_402_300_800),
        **OPTIONAL,
    },
    (Receipt, "STORED"): {
        "jti": NO_ID,
        "key": NO_KEY,
        "size": NO_COUNT,
        "etag": (*NO_TEXT, "", "a b", "a\r\nb", "é", "x" * 129),
        "mimeType": NO_TEXT,
        "profile": (*NO_TEXT, "gone"),
        "sub": NO_SUBJECT,
        "owner": NO_TEXT,
        "bucket": (None, "other-bucket"),
        "app": ("wxother",),
        "exp": (*NO_TIME, 1e15, 10**400, 253_402_300_800),
    },
}
GOOD = {"FORM": FORM, "MULTIPART": MULTIPART, "STORED": STORED}


@pytest.fixture(scope="module")
def settings():
    environment = {
        "OSS_BUCKET": "my-bucket",
        "OSS_REGION": "cn-hangzhou",
        "STS_ROLE_ARN": "acs:ram::1234567890123456:role/upload",
        "CALLER_AUTH": "anonymous",
        "TOKEN_SECRET": SECRET,
    }
    return load_settings(environment, lambda _path: PROFILES)


def read(kind, claims, settings):
    claims = {name: value for name, value in claims.items() if value is not ...}
    return kind.read(jwt.encode(claims, SECRET, algorithm="HS256"), settings, NOW)


@pytest.mark.parametrize(
    ("kind", "good", "changes"),
    [
        pytest.param(kind, GOOD[good], {name: value}, id=f"{kind.__name__}-{name}-{value!a:.20}")
        for (kind, good), claims in ODD.items()
        for name, values in claims.items()
        for value in values
    ],
)
def test_an_odd_claim_is_refused_even_under_a_good_signature(settings, kind, good, changes):
    with pytest.raises(Forbidden):
        read(kind, {**good, **changes}, settings)


@pytest.mark.parametrize(
    ("kind", "good", "changes", "expected"),
    [
        (
            FormTicket,
            FORM,
            {},
            {"key": "videos/o/a.mp4", "is_folder": False, "trace": None, "issued_at": NOW},
        ),
        (FormTicket, FORM, {"type": "", "sizes": [0, 2**53]}, {"content_type": "", "max_size_bytes": 2**53}),
        (FormTicket, FORM, {"folder": "videos/", "key": ...}, {"key": "videos/", "is_folder": True}),
        (FormTicket, FORM, {"trace": TRACE, "context": {"a": 1}}, {"trace": TRACE, "context": {"a": 1}}),
        (FormTicket, FORM, {"sub": "\ud800", "sha256": "0"}, {"subject": "\ud800", "sha256": "0"}),
        (
            FormTicket,
            FORM,
            {"key": "k" * 1023, "iat": 0.5},
            {"issued_at": datetime(1970, 1, 1, 0, 0, 0, 500_000, UTC)},
        ),
        (MultipartTicket, MULTIPART, {"size": 50_000}, {"size_bytes": 50_000, "part_count": 10_000}),
        (MultipartTicket, MULTIPART, {"size": 1, "part": 2**53}, {"part_count": 1}),
        (
            MultipartTicket,
            MULTIPART,
            {"context": {}},
            {"context": {}, "expires_at": NOW + timedelta(seconds=60)},
        ),
        (Receipt, STORED, {}, {"upload_id": "A" * 22, "is_held": False, "size_bytes": 9, "subject": "me"}),
        (Receipt, STORED, {"held": True, "size": 0, "bucket": ...}, {"is_held": True, "size_bytes": 0}),
        (Receipt, STORED, {"exp": 253_402_300_799, "iat": ...}, {"etag": "E7A6", "mime_type": "video/mp4"}),
    ],
)
def test_all_else_is_read_as_it_was_written(settings, kind, good, changes, expected):
    content = read(kind, {**good, **changes}, settings)
    assert {name: getattr(content, name) for name in expected} == expected


def test_a_multipart_ticket_that_is_issued_again_is_the_same(settings):
    content = read(MultipartTicket, {**MULTIPART, "context": {"a": 1}, "sha256": "0"}, settings)
    assert MultipartTicket.read(content.issue(settings), settings, NOW) == content
