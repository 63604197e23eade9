"""auth: who may ask for a form, in the three modes, through both contracts of Function Compute."""

import hmac
import io
import json
import logging
import random
import re
import sys
from base64 import b32encode, urlsafe_b64encode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.app import load_settings
from function.auth import CallerKinds, identify, owner_of
from function.auth.signed_tokens import HEADER, MAX_TOKEN_CHARACTERS, SESSION, issue_token
from function.errors import Unauthorized
from function.http.client import HttpResponse
from handler import serve
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

TOKEN_SECRET = "token-secret-canary-0123456789abcdef"
OTHER_SECRET = "another-functions-secret-0123456789-x"
WECHAT = {
    "CALLER_AUTH": "wechat",
    "TOKEN_SECRET": TOKEN_SECRET,
    "WECHAT_APPID": "wx0123456789abcdef",
    "WECHAT_SECRET": "wechat-secret-canary",
}
OPENID = "oOpenIdCanary_0123456789-xyz"
OWNER = re.compile(r"[a-z2-7]{26}")
HOUR = timedelta(hours=1)


def session(clock, *, audience=SESSION, secret=TOKEN_SECRET, subject=OPENID, life=HOUR, **changes):
    """A session token made by hand; ``...`` takes a claim out."""
    claims = {"sub": subject, "app": WECHAT["WECHAT_APPID"], "bucket": "my-bucket", **changes}
    claims = {name: value for name, value in claims.items() if value is not ...}
    return issue_token(claims, audience=audience, secrets=[secret], now=clock(), life=life)


def signed(claims):
    """A token of ours with any claims, its times included."""
    payload = urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    mac = hmac.digest(TOKEN_SECRET.encode(), f"{HEADER}.{payload}".encode(), "sha256")
    return f"{HEADER}.{payload}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def carrying(good, headers):
    parts = {"good": good, "head": good[:-1], "tail": good[1:]}
    return {name: value.format(**parts) for name, value in headers.items()}


def wechat_says(openid):
    return lambda *_, **__: HttpResponse(200, json.dumps({"openid": openid, "session_key": "s"}).encode())


def ask_wsgi(function, *, path="/upload-params", body=None, headers=None, method="POST"):
    """One request as a WSGI server hands it over; gives status, headers and text."""
    raw = b"" if body is None else json.dumps(body).encode()
    started = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "CONTENT_LENGTH": str(len(raw)),
        "CONTENT_TYPE": "application/json",
        "REMOTE_ADDR": "203.0.113.7",
        "wsgi.input": io.BytesIO(raw),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()},
    }
    chunks = serve(function, environ, lambda status, fields: started.append((status, dict(fields))))
    ((status, fields),) = started
    return int(status.partition(" ")[0]), fields, b"".join(chunks).decode()


def test_without_caller_auth_nothing_is_signed_and_only_the_log_says_why(instance, log_lines):
    answer = instance(CALLER_AUTH=None).ask(body={"filename": "a.png"})
    assert answer.outcome == (500, "misconfigured")
    assert "CALLER_AUTH" not in answer.text
    assert "CALLER_AUTH is missing" in log_lines()[-1]["reason"]


def test_wechat_login_and_form_through_an_event(instance, good_sts):
    function = instance(wechat_says(OPENID), **WECHAT)
    token = function.ask(body={"code": "c"}, path="/login").json["token"]
    answer = function.ask(body={"filename": "a.png"}, headers=bearer(token))
    assert answer.status == 200
    assert answer.json["key"].startswith(f"uploads/{owner_of(OPENID, TOKEN_SECRET)}/2026/11/24/")


def test_wechat_login_and_form_through_wsgi(instance, good_sts):
    function = instance(wechat_says(OPENID), **WECHAT).function
    status, _, text = ask_wsgi(function, path="/login", body={"code": "c"})
    assert status == 200
    status, _, text = ask_wsgi(
        function, body={"filename": "a.png"}, headers=bearer(json.loads(text)["token"])
    )
    assert status == 200
    assert json.loads(text)["key"].startswith(f"uploads/{owner_of(OPENID, TOKEN_SECRET)}/")


def test_a_business_token_through_both_contracts(instance, good_sts, clock):
    secret = "business-secret-0123456789-0123456789"
    function = instance(CALLER_AUTH="jwt", JWT_KEY=secret, JWT_ALGORITHM="HS256", TOKEN_SECRET=TOKEN_SECRET)
    token = issue_token({"sub": "42"}, audience="shop", secrets=[secret], now=clock(), life=HOUR)
    folder = f"uploads/{owner_of('42', TOKEN_SECRET)}/"
    assert function.ask(body={"filename": "a.png"}, headers=bearer(token)).json["key"].startswith(folder)
    status, _, text = ask_wsgi(function.function, body={"filename": "a.png"}, headers=bearer(token))
    assert (status, json.loads(text)["key"].startswith(folder)) == (200, True)


def test_anyone_is_public_through_both_contracts(instance, good_sts):
    function = instance()
    assert function.ask(body={"filename": "a.png"}).json["key"].startswith("uploads/public/")
    status, _, text = ask_wsgi(function.function, body={"filename": "a.png"})
    assert (status, json.loads(text)["key"].startswith("uploads/public/")) == (200, True)


def test_wsgi_refuses_as_an_event_does(instance, sts):
    status, headers, text = ask_wsgi(instance(**WECHAT).function, body={}, headers=bearer("x.y.z"))
    assert status == 401
    assert json.loads(text)["error"]["code"] == "unauthorized"
    assert headers["Content-Length"] == str(len(text.encode()))


@pytest.mark.parametrize("mode", ["anonymous", "jwt"])
def test_only_wechat_has_a_login(instance, mode):
    jwt = {"JWT_KEY": OTHER_SECRET, "JWT_ALGORITHM": "HS256", "TOKEN_SECRET": TOKEN_SECRET}
    answer = instance(wechat_says(OPENID), CALLER_AUTH=mode, **jwt).ask(body={"code": "c"}, path="/login")
    assert answer.outcome == (404, "not_found")


@cases("headers")
def test_refuses_a_header_that_does_not_carry_one_good_token(instance, sts, clock, headers):
    answer = instance(**WECHAT).ask(body={"filename": "a.png"}, headers=carrying(session(clock), headers))
    assert answer.outcome == (401, "unauthorized")


def test_a_header_of_ten_kilobytes_is_refused_before_anyone_reads_a_token_in_it(instance, sts, clock):
    headers = {"Authorization": f"Bearer {session(clock)}", "X-Upload-Token": "x" * 10_000}
    assert instance(**WECHAT).ask(body={"filename": "a.png"}, headers=headers).outcome == (400, "bad_request")


@pytest.mark.parametrize("query", ["token", "access_token", "Authorization"])
def test_a_token_in_the_query_is_none(instance, sts, clock, query):
    assert instance(**WECHAT).ask(method="GET", query={query: session(clock)}).status == 401


@cases("headers")
def test_takes_the_token_in_odd_case_and_beside_a_signed_trigger_s_header(instance, good_sts, clock, headers):
    assert (
        instance(**WECHAT).ask(body={"filename": "a.png"}, headers=carrying(session(clock), headers)).status
        == 200
    )


@cases("changes", "hours")
def test_refuses_a_token_that_is_no_session(instance, sts, clock, changes, hours):
    forged = session(clock, life=timedelta(hours=hours), **changes)
    answer = instance(**WECHAT).ask(body={"filename": "a.png"}, headers=bearer(forged))
    assert answer.outcome == (401, "unauthorized")


@cases("changes")
def test_a_session_of_another_app_or_bucket_is_refused(instance, sts, clock, log_lines, changes):
    """Functions of several mini-programs may share a secret; tokens of before neither was named run out."""
    answer = instance(**WECHAT).ask(body={"filename": "a.png"}, headers=bearer(session(clock, **changes)))
    assert answer.outcome == (401, "unauthorized")
    assert log_lines()[-1]["reason"] == "for another app or bucket"


@pytest.mark.parametrize(
    "other", [{"WECHAT_APPID": "wxfedcba9876543210"}, {"OSS_BUCKET": "other-bucket"}], ids=str
)
def test_a_login_at_one_app_or_bucket_is_unauthorized_at_another(instance, good_sts, other):
    send = wechat_says(OPENID)
    token = instance(send, **WECHAT).ask(body={"code": "c"}, path="/login").json["token"]
    asked = {"body": {"filename": "a.png"}, "headers": bearer(token)}
    assert instance(send, **WECHAT).ask(**asked).status == 200
    assert instance(send, **{**WECHAT, **other}).ask(**asked).status == 401


@cases("seconds", "ahead", "status")
def test_a_session_longer_than_ours_is_refused(instance, good_sts, clock, seconds, ahead, status):
    """The clocks of two instances may differ by half a minute; a session of tomorrow is none today."""
    token = session(lambda: clock() + timedelta(seconds=ahead), life=timedelta(seconds=seconds))
    assert instance(**WECHAT).ask(body={"filename": "a.png"}, headers=bearer(token)).status == status


@cases("issued_at")
def test_a_session_without_a_valid_iat_is_unauthorized(instance, sts, clock, issued_at):
    exp = int(clock().timestamp()) + 60
    claims = {"sub": OPENID, "app": WECHAT["WECHAT_APPID"], "bucket": "my-bucket", "aud": SESSION, "exp": exp}
    if issued_at is not ...:
        claims["iat"] = issued_at
    answer = instance(**WECHAT).ask(body={"filename": "a.png"}, headers=bearer(signed(claims)))
    assert answer.outcome == (401, "unauthorized")


def test_an_enormous_end_is_refused_like_any_other(instance, sts, clock):
    now = int(clock().timestamp())
    claims = {"sub": OPENID, "app": WECHAT["WECHAT_APPID"], "bucket": "my-bucket", "aud": SESSION}
    token = signed({**claims, "iat": now + 0.5, "exp": 10**400})
    assert instance(**WECHAT).ask(body={"filename": "a.png"}, headers=bearer(token)).status == 401


def test_a_shorter_token_seconds_ends_the_sessions_that_were_promised_more(instance, good_sts, clock):
    token = session(clock, life=HOUR)
    shorter = instance(**WECHAT, TOKEN_SECONDS="3599")
    assert shorter.ask(body={"filename": "a.png"}, headers=bearer(token)).status == 401


def test_a_session_expires_after_token_seconds(instance, good_sts, clock):
    function = instance(wechat_says(OPENID), **WECHAT, TOKEN_SECONDS="60")
    login = function.ask(body={"code": "c"}, path="/login").json
    assert login["expiresIn"] == 60
    clock.tick(seconds=59)
    assert function.ask(body={"filename": "a.png"}, headers=bearer(login["token"])).status == 200
    clock.tick(seconds=1)
    assert function.ask(body={"filename": "a.png"}, headers=bearer(login["token"])).status == 401


def test_a_new_secret_in_front_keeps_sessions_and_folders(instance, good_sts, clock):
    before = instance(**WECHAT).ask(body={"filename": "a.png"}, headers=bearer(session(clock)))
    rotated = instance(**{**WECHAT, "TOKEN_SECRET": f"{OTHER_SECRET},{TOKEN_SECRET}"})
    after = rotated.ask(body={"filename": "a.png"}, headers=bearer(session(clock)))
    assert before.json["key"].split("/")[:2] == after.json["key"].split("/")[:2]


@cases("body")
@pytest.mark.parametrize("profile", ["default", "avatar"])
def test_a_requested_foreign_key_is_replaced_by_one_in_the_own_folder(
    instance, good_sts, clock, body, profile
):
    wanted = {"contentType": "image/png", "profile": profile, **body}
    answer = instance(**WECHAT).ask(body=wanted, headers=bearer(session(clock)))
    folder = {"default": "uploads", "avatar": "avatars"}[profile]
    own = re.escape(f"{folder}/{owner_of(OPENID, TOKEN_SECRET)}/")
    assert re.fullmatch(own + r"(2026/11/24/)?[A-Za-z0-9_-]{22}(\.png)?", answer.json["key"])
    assert "victim" not in answer.text


@pytest.mark.parametrize("profile", ["../avatar", "avatar/../../x", "AVATAR", "uploads/victim"])
def test_a_profile_is_a_name_and_no_path(instance, sts, clock, profile):
    answer = instance(**WECHAT).ask(body={"profile": profile}, headers=bearer(session(clock)))
    assert answer.outcome == (400, "unknown_profile")


def test_ten_thousand_callers_never_share_a_folder(environment, clock):
    avatar = load_settings(environment).profiles["avatar"]
    chance = random.Random(20261124)
    subjects = {chance.randbytes(21).hex()[: chance.randint(1, 42)] + str(number) for number in range(9_990)}
    # And those an attacker would pick: alike but for case, blanks, dots, composition.
    subjects |= {"public", "Public", " public", "public/", "..", ".", "e\u0301", "\u00e9", "a\x00", "a"}
    assert len(subjects) == 10_000
    folders = set()
    for subject in subjects:
        owner = owner_of(subject, TOKEN_SECRET)
        key = avatar.key.render(owner=owner, upload_id="id", now=clock(), extension=".png")
        assert OWNER.fullmatch(owner)
        folders.add(key.rpartition("/")[0])
    assert len(folders) == 10_000


def test_callers_get_forms_in_folders_of_their_own(instance, good_sts, clock):
    function = instance(**WECHAT)
    folders = set()
    for number in range(100):
        headers = bearer(session(clock, subject=f"user-{number}"))
        key = function.ask(body={"filename": "a.png"}, headers=headers).json["key"]
        again = function.ask(body={"filename": "a.png"}, headers=headers).json["key"]
        assert key.split("/")[:2] == again.split("/")[:2]
        assert key != again
        folders.add(key.split("/")[1])
    assert len(folders) == 100


def test_a_folder_is_a_keyed_hash():
    assert owner_of(OPENID, TOKEN_SECRET) == owner_of(OPENID, TOKEN_SECRET)
    assert owner_of(OPENID, TOKEN_SECRET) != owner_of(OPENID, OTHER_SECRET)
    assert owner_of("public", TOKEN_SECRET) != "public"


@effort(max_examples=200)
@given(subject=st.text(min_size=1, max_size=50))
@pytest.mark.not_for_coverage
def test_a_folder_is_the_library_s_base_32_of_the_hash_s_first_128_bits(subject):
    named = b"owner\n" + subject.encode("utf-8", "surrogatepass")
    digest = hmac.digest(TOKEN_SECRET.encode(), named, "sha256")
    assert owner_of(subject, TOKEN_SECRET) == b32encode(digest[:16]).decode().rstrip("=").lower()


def test_owner_secret_decides_the_folder_when_it_is_set(instance, good_sts, clock):
    function = instance(**WECHAT, OWNER_SECRET=OTHER_SECRET)
    key = function.ask(body={"filename": "a.png"}, headers=bearer(session(clock))).json["key"]
    assert key.startswith(f"uploads/{owner_of(OPENID, OTHER_SECRET)}/")


def test_the_openid_and_the_tokens_appear_in_no_answer_and_no_log_line(instance, good_sts, clock, caplog):
    caplog.set_level(logging.DEBUG)
    function = instance(wechat_says(OPENID), **WECHAT)
    token = function.ask(body={"code": "code-canary"}, path="/login").json["token"]
    answer = function.ask(body={"filename": "a.png"}, headers=bearer(token))
    refused = function.ask(body={"filename": "a.png"}, headers=bearer(token + "x"))
    shown = answer.text + refused.text + caplog.text
    for secret in (OPENID, token, "code-canary", TOKEN_SECRET, "wechat-secret-canary"):
        assert secret not in shown
    assert "canary" not in repr(load_settings(function.environ))


def test_over_the_rate_limit_the_caller_gets_retry_after_and_no_sts_call(instance, good_sts, clock):
    function = instance(**WECHAT, CALLER_RATE="3/min")
    headers = bearer(session(clock))
    statuses = [function.ask(body={"filename": "a.png"}, headers=headers).status for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    calls = len(good_sts.calls)
    answer = function.ask(body={"filename": "a.png"}, headers=headers)
    assert (answer.code, answer.headers["Retry-After"]) == ("too_many_requests", "60")
    assert len(good_sts.calls) == calls
    other = bearer(session(clock, subject="other"))
    assert function.ask(body={"filename": "a.png"}, headers=other).status == 200
    clock.tick(seconds=60)
    assert function.ask(body={"filename": "a.png"}, headers=headers).status == 200


def test_a_second_login_is_no_second_allowance(instance, good_sts):
    function = instance(wechat_says(OPENID), **WECHAT, CALLER_RATE="1/min")
    tokens = [function.ask(body={"code": code}, path="/login").json["token"] for code in ("c1", "c2")]
    statuses = [function.ask(body={"filename": "a.png"}, headers=bearer(token)).status for token in tokens]
    assert statuses == [200, 429]


def test_many_files_count_as_many(instance, good_sts, clock):
    function = instance(**WECHAT, CALLER_RATE="5/min")
    headers = bearer(session(clock))
    three = {"files": [{"filename": "a.png"}] * 3}
    assert [function.ask(body=three, headers=headers).status for _ in range(2)] == [200, 429]


def test_anyone_is_limited_by_address_whatever_the_forwarded_headers_say(instance, good_sts):
    function = instance(CALLER_RATE="2/min")
    statuses = [
        function.ask(
            body={"filename": "a.png"},
            headers={"X-Forwarded-For": f"198.51.100.{number}", "X-Real-IP": f"198.51.100.{number}"},
        ).status
        for number in range(3)
    ]
    assert statuses == [200, 200, 429]
    assert function.ask(body={"filename": "a.png"}, source_ip="203.0.113.8").status == 200


def test_anyone_is_limited_by_the_address_that_the_trusted_proxy_names(instance, good_sts):
    function = instance(CALLER_RATE="1/min", CLIENT_ADDRESS_HEADER="X-Real-Ip")
    callers = ["198.51.100.1", "198.51.100.2", "forged, 198.51.100.2", "no address", "no address, either"]
    statuses = [
        function.ask(body={"filename": "a.png"}, headers={"X-Real-Ip": caller}).status for caller in callers
    ]
    assert statuses == [200, 200, 429, 200, 429]


def test_a_flood_is_refused_before_anything_is_planned(instance, good_sts):
    function = instance(CALLER_RATE="1/min")
    too_large = {"filename": "a.png", "size": 10**12}
    assert [function.ask(body=too_large).status for _ in range(3)] == [413, 429, 429]
    several = {"files": [{"filename": "a.png"}, too_large]}
    function = instance(CALLER_RATE="2/min")
    assert [function.ask(body=several).status for _ in range(2)] == [413, 429]


@cases("body")
def test_malformed_requests_count_against_no_rate(instance, good_sts, body):
    function = instance(CALLER_RATE="1/min")
    for _ in range(3):
        assert function.ask(body=body).status == 400
    assert function.ask(body={"filename": "a.png"}).status == 200


def test_bad_tokens_count_against_no_rate(instance, good_sts, clock):
    function = instance(**WECHAT, CALLER_RATE="1/min")
    for _ in range(5):
        assert function.ask(body={"filename": "a.png"}, headers=bearer("x")).status == 401
    assert function.ask(body={"filename": "a.png"}, headers=bearer(session(clock))).status == 200


@effort(max_examples=40)
@given(
    headers=st.dictionaries(
        st.sampled_from(["authorization", "Authorization", "x-upload-token", "X-Upload-Token", "origin"]),
        st.text(max_size=40) | st.text(max_size=40).map("Bearer {}".format),
        max_size=4,
    )
)
def test_whatever_the_headers_say_is_at_worst_unauthorized(instance, headers):
    answer = instance(**WECHAT).ask(body={"filename": "a.png"}, headers=headers)
    assert answer.outcome == (401, "unauthorized")


SECRET = "token-secret-0123456789abcdefghijklmn"


@pytest.fixture
def wechat_settings(environment):
    return load_settings(
        {
            **environment,
            "CALLER_AUTH": "wechat",
            "WECHAT_APPID": "wx",
            "WECHAT_SECRET": "s",
            "TOKEN_SECRET": SECRET,
        }
    )


def reason(settings, clock, token):
    with pytest.raises(Unauthorized) as raised:
        identify({"authorization": f"Bearer {token}"}, settings, clock())
    return raised.value.reason


@pytest.mark.parametrize("token", ["", "a,b", "a b", "a\tb", "é", "x" * (MAX_TOKEN_CHARACTERS + 1)])
def test_a_malformed_header_is_named_in_the_log_before_any_token_is_read(wechat_settings, clock, token):
    assert reason(wechat_settings, clock, token) == "bearer token malformed"


def test_the_longest_token_allowed_is_read(wechat_settings, clock):
    assert reason(wechat_settings, clock, "x" * MAX_TOKEN_CHARACTERS) == "unknown header"


def test_a_token_of_exactly_that_length_is_good(wechat_settings, clock):
    def token(padding):
        return issue_token(
            {"sub": "o", "app": "wx", "bucket": "my-bucket", "x": "y" * padding},
            audience=SESSION,
            secrets=[SECRET],
            now=clock(),
            life=timedelta(hours=1),
        )

    paddings = (n for n in range(2500, 3200) if len(token(n)) == MAX_TOKEN_CHARACTERS)
    header = {"authorization": f"Bearer {token(next(paddings))}"}
    assert identify(header, wechat_settings, clock()).subject == "o"


def test_an_owner_is_the_same_for_ever():
    """A change of this value moves every caller to a new folder."""
    assert owner_of("oUser", SECRET) == "convg3ypclmiiqnho4d27bzux4"
    assert set(owner_of("oOther", SECRET)) <= set(b32encode(bytes(range(256))).decode().lower()) - {"="}


def test_caller_kinds_are_found_by_the_name_of_their_module():
    kinds = CallerKinds()
    assert set(kinds) == {"alipay", "anonymous", "douyin", "jwt", "several", "wechat"}
    assert len(kinds) == 6
    for name in ("", "nobody", "tokens", "login_code", "a.b"):
        assert name not in kinds


def test_a_missing_package_is_not_an_unknown_caller_kind(monkeypatch):
    monkeypatch.delitem(sys.modules, "function.auth.jwt", raising=False)
    monkeypatch.setitem(sys.modules, "function.auth.signed_tokens", None)
    with pytest.raises(ModuleNotFoundError):
        CallerKinds()["jwt"]
