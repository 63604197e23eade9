"""uploads.tickets, uploads.receipt: odd claims are refused, even under a good signature."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from function.app import load_settings
from function.auth.signed_tokens import PARTS, RECEIPT, TICKET
from function.errors import Forbidden
from function.uploads.receipt import Receipt
from function.uploads.tickets import FormTicket, MultipartTicket
from tests.support.cases import cases_beside, profile_toml, table_beside

cases = cases_beside(__file__)

SECRET = "token-secret-canary-0123456789abcdef"
PROFILES = profile_toml(
    "video", "videos", max_size="8MiB", content_types=["video/*"], acl="private", confirm=True, parts=True
) + profile_toml("plain", end="{id}", max_size="8MiB", content_types=["video/*"])
NOW = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
LATER, START = NOW + timedelta(seconds=60), datetime(1970, 1, 1, 0, 0, 0, 500_000, UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COMMON = {"jti": "A" * 22, "key": "videos/o/a.mp4", "profile": "video", "sub": "me", "owner": "o"}
COMMON |= {"bucket": "my-bucket", "iat": SECONDS, "exp": SECONDS + 60}
FORM = {**COMMON, "aud": TICKET, "type": "video/mp4", "sizes": [1, 9]}
MULTIPART = {**COMMON, "aud": PARTS, "upload": "0004", "size": 9, "part": 5, "type": "video/mp4"}
STORED = {**COMMON, "aud": RECEIPT, "size": 9, "etag": "E7A6", "mimeType": "video/mp4", "seen": True}
GOOD = {"FormTicket": FORM, "MultipartTicket": MULTIPART, "Receipt": STORED}
KINDS = {kind.__name__: kind for kind in (FormTicket, MultipartTicket, Receipt)}
ODD = table_beside(__file__)["ODD"]


@pytest.fixture(scope="module")
def settings():
    own = {"OSS_BUCKET": "my-bucket", "OSS_REGION": "cn-hangzhou", "CALLER_AUTH": "anonymous"}
    own |= {"STS_ROLE_ARN": "acs:ram::1234567890123456:role/upload", "TOKEN_SECRET": SECRET}
    return load_settings(own, lambda _path: PROFILES)


def read(kind, changes, settings):
    claims = {name: value for name, value in {**GOOD[kind], **changes}.items() if value is not ...}
    return KINDS[kind].read(jwt.encode(claims, SECRET, algorithm="HS256"), settings, NOW)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        pytest.param(kind, name, value, id=f"{kind}-{name}-{value!a:.20}")
        for kind, claims in ODD.items()
        for name, values in claims.items()
        for value in values
    ],
)
def test_an_odd_claim_is_refused_even_under_a_good_signature(settings, kind, name, value):
    with pytest.raises(Forbidden) as caught:
        read(kind, {name: value}, settings)
    # The others are looked at together, or by those who know what they name.
    assert name in ("app", "bucket", "exp", "iat", "part", "profile", *caught.value.reason.split())


@cases("kind", "changes", "expected")
def test_all_else_is_read_as_it_was_written(settings, kind, changes, expected):
    content = read(kind, changes, settings)
    found = {name: getattr(content, name) for name in expected}
    times = {name: value.timestamp() for name, value in found.items() if isinstance(value, datetime)}
    assert {**found, **times} == expected


def test_a_multipart_ticket_that_is_issued_again_is_the_same(settings):
    content = read("MultipartTicket", {"context": {"a": 1}, "sha256": "0"}, settings)
    assert MultipartTicket.read(content.issue(settings), settings, NOW) == content
