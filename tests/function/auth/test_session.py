"""auth.session: session tokens name a caller, and nothing else passes for one."""

from datetime import UTC, datetime

import jwt
import pytest

from function.app import load_settings
from function.auth.session import SessionToken
from function.auth.signed_tokens import SESSION
from function.errors import Unauthorized
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

SECRET = "token-secret-canary-0123456789abcdef"
APP = "wx0123456789abcdef"


@pytest.fixture
def settings(environment):
    wechat = {"CALLER_AUTH": "wechat", "WECHAT_APPID": APP, "WECHAT_SECRET": "s"}
    return load_settings({**environment, **wechat, "TOKEN_SECRET": SECRET, "TOKEN_SECONDS": "3600"})


@pytest.fixture
def read(settings, clock):
    """Read a token with these claims, signed with the secret."""

    def read(**changes):
        now = int(clock().timestamp())
        claims = {"sub": "me", "app": APP, "bucket": "my-bucket", "aud": SESSION, "iat": now, "exp": now + 60}
        claims = {name: value for name, value in {**claims, **changes}.items() if value is not ...}
        return SessionToken.read(
            jwt.encode(claims, SECRET, algorithm="HS256"), settings.only, settings, clock()
        )

    return read


@pytest.mark.parametrize("subject", ["x" * 255, "\ud800"], ids=ascii)
def test_a_token_gives_back_its_subject(settings, clock, subject):
    token = SessionToken.issue(subject, settings.only, settings, clock())
    ends = int(clock().timestamp()) + 3600
    assert SessionToken.read(token, settings.only, settings, clock.tick(seconds=3599)) == SessionToken(
        subject, ends
    )
    with pytest.raises(Unauthorized):
        SessionToken.read(token, settings.only, settings, clock.tick(seconds=1))


@cases("changes")
def test_odd_claims_are_refused_even_under_a_good_signature(read, changes):
    with pytest.raises(Unauthorized):
        read(**changes)


@pytest.mark.parametrize("claim", ["sub", "iat"])
def test_the_reason_names_a_claim_that_is_missing(read, claim):
    with pytest.raises(Unauthorized) as caught:
        read(**{claim: ...})
    assert claim in caught.value.reason.split()


def test_a_clock_ahead_by_half_a_minute_is_forgiven(read):
    assert read(iat=1795528800 + 30).subject == "me"


def test_true_is_no_time_though_python_counts_it_as_one(settings):
    start = datetime(1970, 1, 1, tzinfo=UTC)
    claims = {"sub": "me", "app": APP, "bucket": "my-bucket", "aud": SESSION, "iat": True, "exp": 60}
    with pytest.raises(Unauthorized):
        SessionToken.read(jwt.encode(claims, SECRET, algorithm="HS256"), settings.only, settings, start)
    claims["iat"] = 1
    assert SessionToken.read(jwt.encode(claims, SECRET, algorithm="HS256"), settings.only, settings, start)
