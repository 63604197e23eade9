"""auth.several: a request, a login and a push find the one caller that they are of."""

import json
from base64 import urlsafe_b64encode

import jwt
import pytest

from function.auth import identify, owner_of
from function.auth.several import entry_of_token
from function.errors import Unauthorized
from function.http.client import HttpResponse
from tests.docs.openapi import check_answer
from tests.support.cases import table_beside
from tests.support.world import PLAIN, WEBHOOK, World

FILE = table_beside("tests/function/auth/test_callers_file.py")
A, B = "wechat:wx1111111111111111", "wechat:wx2222222222222222"
SITE = "https://id.example.com"
PROFILES = (
    FILE["PROFILE"]
    + """
read = "owner"
delete = "owner"
list = true
[second]
key = "second/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/png"]
confirm = true
callers = ["second"]
[wall]
key = "walls/{id}{ext}"
max_size = "1MiB"
content_types = ["image/png"]
callers = ["any"]
"""
)


@pytest.fixture
def build(clock, tmp_path):
    def make(callers=FILE["SIX"], profiles=PROFILES, **changes):
        for name, text in {**FILE["FILES"], "callers.toml": callers, "profiles.toml": profiles}.items():
            (tmp_path / name).write_text(text, "utf-8")
        named = {"CALLER_AUTH": "several", "PROFILES_FILE": str(tmp_path / "profiles.toml")}
        return World({**PLAIN, **FILE["ENVIRON"], **named, **changes}, clock, check=check_answer)

    return make


@pytest.fixture
def world(build):
    world = build(ERASE="true", UPLOAD_WEBHOOK_URL=WEBHOOK)
    world.others["api.weixin.qq.com"] = lambda *_args, query, **_options: _answer(world, query)
    world.asked = []
    return world


def _answer(world, query):
    world.asked.append(query["appid"])
    # A code serves at the app that made it.
    is_own = query["js_code"].startswith(query["appid"])
    said = {"openid": "same"} if is_own else {"errcode": 40029}
    return HttpResponse(200, json.dumps(said).encode())


def entry(world, name):
    return next(each for each in world.settings.callers if each.name == name)


def issued(world, key="site.key", **changes):
    claims = {"iss": SITE, "sub": "same", "exp": int(world.now().timestamp()) + 60, **changes}
    return jwt.encode(claims, FILE["FILES"][key].strip(), "HS256")


def tokens(world):
    """A token of each caller, all of one subject."""
    return {
        "main": world.session("same", entry(world, "main")),
        "second": world.session("same", entry(world, "second")),
        "site": issued(world),
        "app": issued(world, "app.key", iss="https://ID.example.com"),
    }


def form(world, token="", profile="picture"):
    return world.ask("upload-params", token, profile=profile, contentType="image/png")


def test_one_subject_has_an_owner_at_each_caller(world):
    keys = [form(world, token).json["key"].split("/")[1] for token in tokens(world).values()]
    secret = world.settings.owner_secret
    assert keys == [
        owner_of("same", secret, each) for each in ("", B, f"jwt:{SITE}", "jwt:https://ID.example.com")
    ]
    assert len(set(keys)) == 4


def test_a_code_goes_to_the_app_that_a_login_names_and_to_no_other(world):
    code = "wx2222222222222222_code"
    assert world.ask("login", code=code, app="wx2222222222222222").status == 200
    assert world.ask("login", code=code, app="wx1111111111111111").status == 401
    assert world.asked == ["wx2222222222222222", "wx1111111111111111"]


def test_an_unknown_app_is_refused_as_a_wrong_code_is_and_costs_no_call(world):
    unknown = world.ask("login", code="wx3_code", app="wx3").json["error"]
    assert world.asked == []
    wrong = world.ask("login", code="wx3_code", app="wx1111111111111111").json["error"]
    assert unknown["code"] == wrong["code"] == "unauthorized"


@pytest.mark.parametrize(("app", "status"), [(None, 400), (1, 400), ("", 401), ("jwt", 401)])
def test_a_login_of_several_names_its_app(world, app, status):
    assert world.ask("login", code="wx1_code", app=app).status == status
    assert world.asked == []


def test_the_app_may_be_left_out_where_one_caller_logs_in(build):
    world = build(FILE["SIX"].partition("[second]")[0], FILE["PROFILE"])
    world.asked = []
    world.others["api.weixin.qq.com"] = lambda *_args, query, **_options: _answer(world, query)
    assert world.ask("login", code="wx1111111111111111_code").status == 200


def test_a_caller_may_use_the_profiles_that_name_it_or_no_caller(world):
    seen = {
        (name, profile): form(world, token, profile).status
        for name, token in {**tokens(world), "any": ""}.items()
        for profile in ("picture", "second", "wall")
    }
    assert {pair for pair, status in seen.items() if status == 200} == {
        ("main", "picture"),
        ("second", "picture"),
        ("site", "picture"),
        ("app", "picture"),
        ("second", "second"),
        ("any", "wall"),
    }
    assert set(seen.values()) == {200, 403}
    settings = world.call().settings
    assert not any(settings.may_use(None, profile) for profile in settings.profiles.values())


def test_a_refused_token_does_not_make_an_anonymous_caller(world):
    assert form(world, "", "wall").status == 200
    for token in ("x", "a.b.c", issued(world, iss="https://nowhere.example.com"), issued(world, exp=1)):
        assert form(world, token, "wall").status == 401


def test_without_a_token_a_function_without_anyone_knows_no_caller(build):
    world = build(FILE["SIX"].partition("[any]")[0], FILE["PROFILE"])
    assert form(world).outcome == (401, "unauthorized")
    assert form(world, tokens(world)["main"]).status == 200


@pytest.mark.parametrize("header", ["X-Upload-Token", "Authorization"])
def test_neither_header_of_a_token_makes_an_anonymous_caller(world, header):
    wanted = {"profile": "wall", "contentType": "image/png"}
    statuses = [world.ask_event(body=wanted, headers={header: value}).status for value in (" ", "Bearer x")]
    assert statuses == [200, 401]


def test_a_token_is_verified_by_the_key_of_its_issuer_alone(world):
    forged = [
        issued(world, "app.key"),
        issued(world, iss="https://ID.example.com"),
        issued(world, aud="oss-direct-upload/session"),
        jwt.encode({"iss": SITE, "sub": "s", "exp": 2**31}, "", "none"),
        issued(world).replace(".", f".{urlsafe_b64encode(b'{}').decode()}.", 1),
    ]
    assert [form(world, token).status for token in forged] == [401] * len(forged)


def test_a_session_is_no_token_of_an_issuer_and_names_a_caller_that_logs_in(world):
    with pytest.raises(Unauthorized):
        entry_of_token(issued(world, aud="oss-direct-upload/session", app=f"jwt:{SITE}"), world.settings)


def introspect(world, token):
    headers = {"Authorization": f"Bearer {world.backend()}"}
    return world.ask_event(body={"token": token}, path="/introspect", headers=headers).json


def test_introspection_names_the_caller_of_a_session(world):
    said = introspect(world, tokens(world)["second"])
    assert (said["caller"], said["kind"], said["owner"]) == (
        B,
        "wechat",
        owner_of("same", world.settings.owner_secret, B),
    )
    assert introspect(world, tokens(world)["main"])["caller"] == A
    assert introspect(world, issued(world)) == {"active": False}


def test_an_erasure_names_the_caller_of_its_sub(world):
    token = world.backend(aud="oss-direct-upload/erasure")
    assert world.ask("erase", token, sub="same").status == 200
    assert world.ask("erase", token, sub="same", caller=B).status == 200
    # One that was removed has left objects.
    assert world.ask("erase", token, sub="same", caller="alipay:2021").status == 200
    for caller in ("", "wechat", 5, "wechat:a b", "wechat:a\nb"):
        assert world.ask("erase", token, sub="same", caller=caller).status == 400


def test_without_an_unnamed_caller_an_erasure_must_name_one(build):
    world = build(FILE["SIX"].replace('owners = "unnamed"\n', ""), FILE["PROFILE"], ERASE="true")
    token = world.backend(aud="oss-direct-upload/erasure")
    assert world.ask("erase", token, sub="same").status == 400
    assert world.ask("erase", token, sub="same", caller=A).status == 200


def test_the_kind_of_several_identifies_as_the_caller_does(world):
    headers = {"authorization": f"Bearer {issued(world)}"}
    caller = identify(headers, world.settings, world.now())
    assert (caller.subject, caller.entry.name) == ("same", "site")
