"""routes.introspect: a backend learns who sent a session; everything else is inactive."""

from datetime import timedelta
from urllib.parse import urlencode

import jwt
import pytest

from function.auth.business_token import ERASURE
from function.auth.signed_tokens import PARTS, RECEIPT, SESSION, SOURCE, TICKET, issue_token
from function.errors import OssRejected
from function.routes.introspect import CALLS
from tests.function.owners.conftest import BAD, FORBIDDEN, MINE, OWNER, THEM, said
from tests.support.memory_oss import DENIED

SECRET = "token-secret-canary-0123456789abcdef"
RECEIPT_SECRET = "receipt-SecretCanary-0123456789abcdef"
INACTIVE = {"active": False}
FORM = "application/x-www-form-urlencoded"


def introspect(house, token, **headers):
    headers = {"Authorization": f"Bearer {house.backend()}", **headers}
    return house.ask_event(path="/introspect", body={"token": token}, headers=headers)


def as_form(house, body, kind=FORM, **how):
    headers = {"Authorization": f"Bearer {house.backend()}", "Content-Type": kind}
    return house.ask_event(path="/introspect", body=body, headers=headers, **how)


def session(house, secret=SECRET, **changes):
    """A session as the function signs it, but for these claims."""
    now = int(house.now().timestamp())
    claims = {"sub": OWNER, "app": "wx0123456789abcdef", "bucket": "my-bucket"}
    claims |= {"aud": SESSION, "iat": now, "exp": now + 7200, **changes}
    return jwt.encode({name: value for name, value in claims.items() if value is not ...}, secret, "HS256")


def test_a_session_names_its_caller_owner_and_end(house, clock, log_lines):
    ends = int(clock().timestamp()) + 7200
    expected = {"active": True, "sub": OWNER, "owner": MINE, "exp": ends, "kind": "wechat"}
    answer = introspect(house, house.session())
    assert said(answer) == expected
    assert answer.headers["Cache-Control"] == "no-store"
    assert "caller" not in log_lines()[-1]
    clock.tick(seconds=7199)
    token = session(house, iat=ends - 7200, exp=ends)
    assert said(introspect(house, token)) == expected
    # By the function's clock, without leeway.
    clock.tick(seconds=1)
    assert said(introspect(house, token)) == INACTIVE


@pytest.mark.parametrize("kind", [FORM, f"{FORM} ; charset=UTF-8", FORM.upper()])
def test_a_form_is_read_as_json_is(house, kind):
    body = urlencode({"token_type_hint": "access_token", "token": house.session()})
    assert said(as_form(house, body, kind))["sub"] == OWNER


@pytest.mark.parametrize("body", ["", "token_type_hint=x", "token=a&token=a", '{"token": "a"}'], ids=ascii)
def test_a_form_without_just_one_token_is_a_bad_request(house, body):
    assert as_form(house, body).outcome == BAD


def test_a_form_that_is_no_text_is_a_bad_request(house):
    assert said(as_form(house, "token=%ff")) == said(as_form(house, "token=")) == INACTIVE
    assert as_form(house, None, base64="/w==").outcome == BAD


@pytest.mark.parametrize("token", [None, 7], ids=str)
def test_a_token_that_is_no_text_is_a_bad_request(house, token):
    assert introspect(house, token).outcome == BAD


def signed(audience, secret):
    def make(house):
        claims = {"sub": OWNER, "app": "wx0123456789abcdef", "bucket": "my-bucket"}
        life = timedelta(hours=1)
        return issue_token(claims, audience=audience, secrets=[secret], now=house.now(), life=life)

    return make


OTHERS = {
    "nothing": lambda _: "",
    "no token": lambda _: "Bearer x",
    "no Unicode": lambda _: "\ud800.\ud800.\ud800",
    "a form's ticket": lambda house: house.form("picture")["ticket"],
    "a receipt": lambda house: house.store("picture")["receipt"],
    "a backend token": lambda house: house.backend(),
    "an erasure token": lambda house: house.backend(aud=ERASURE),
    "a session and more": lambda house: f"{house.session()} ",
    "two sessions": lambda house: ",".join([house.session()] * 2),
    "a cut signature": lambda house: house.session()[:-1],
    "no algorithm": lambda house: jwt.encode({"aud": SESSION, "sub": OWNER}, None, "none"),
    "the receipts' secret": lambda house: session(house, RECEIPT_SECRET),
    "a foreign secret": lambda house: session(house, "another-secret-0123456789abcdefghijk"),
    "a foreign app": lambda house: session(house, app="wx-other"),
    "no app": lambda house: session(house, app=...),
    "a foreign bucket": lambda house: session(house, bucket="other-bucket"),
    "expired": lambda house: session(house, exp=int(house.now().timestamp())),
    "no end": lambda house: session(house, exp=...),
    "a life too long": lambda house: session(house, exp=int(house.now().timestamp()) + 7201),
    "issued in the future": lambda house: session(house, iat=int(house.now().timestamp()) + 31),
    "not valid yet": lambda house: session(house, nbf=int(house.now().timestamp()) + 1),
    "no subject": lambda house: session(house, sub=...),
    "a long subject": lambda house: session(house, sub="x" * 256),
    "a list of audiences": lambda house: session(house, aud=[SESSION]),
    "over length": lambda house: session(house, more="x" * 3000),
    **{
        f"{audience.rpartition('/')[2]} by {name}": signed(audience, secret)
        for audience in (TICKET, PARTS, RECEIPT, SOURCE)
        for name, secret in (("tokens", SECRET), ("receipts", RECEIPT_SECRET))
    },
}


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_anything_but_a_good_session_is_inactive_and_the_log_has_the_reason(house, log_lines, make):
    assert said(introspect(house, make(house))) == INACTIVE
    line = log_lines()[-1]
    assert (line["route"], line["status"]) == ("introspect", 200)
    assert line["reason"] and line["owner"] is None


def test_only_a_backend_may_ask(house):
    bad = {
        "": (401, "unauthorized"),
        house.session(): FORBIDDEN,
        house.backend(aud=ERASURE): FORBIDDEN,
        house.backend(aud=["oss-direct-upload/backend", ERASURE]): FORBIDDEN,
        house.backend(exp=1): FORBIDDEN,
        house.backend(SECRET): FORBIDDEN,
        house.store("picture")["receipt"]: FORBIDDEN,
    }
    for token, expected in bad.items():
        assert introspect(house, house.session(), Authorization=f"Bearer {token}").outcome == expected


def test_a_user_under_erasure_is_inactive_and_no_other(house_of, log_lines, clock):
    house = house_of(ERASE="true")
    token, other = house.session(), house.session(THEM)
    assert said(introspect(house, token))["active"]
    assert said(house.ask("erase", house.backend(aud=ERASURE), sub=OWNER))["state"] == "running"
    clock.tick(seconds=60)
    assert said(introspect(house, token)) == INACTIVE
    assert log_lines()[-1]["owner"] == MINE
    assert said(introspect(house, other))["active"]


def test_a_session_is_not_active_before_running_erasures_are_known(house_of, oss):
    house = house_of(ERASE="true")
    oss.fail("ListObjectsV2", DENIED)
    assert introspect(house, house.session()).outcome == (502, OssRejected.code)
    assert said(introspect(house, house.session()))["active"]


def test_600_questions_a_minute_are_answered_by_one_instance(house, clock):
    questions = [introspect(house, "x").status for _ in range(CALLS.limit + 1)]
    assert questions == [200] * 600 + [429]
    assert introspect(house, house.session()).outcome == (429, "too_many_requests")
    clock.tick(seconds=60)
    assert said(introspect(house, house.session()))["active"]


def test_strangers_use_up_no_question_of_a_backend(house):
    for _ in range(CALLS.limit + 1):
        introspect(house, "x", Authorization="Bearer x")
    assert said(introspect(house, house.session()))["active"]
