"""Several callers: what is one caller's does nothing for another."""

import hmac
import json
from base64 import urlsafe_b64encode
from hashlib import sha256

import jwt
import pytest

from function.auth import owner_of
from function.auth.signed_tokens import SESSION
from tests.function.several.conftest import ANYONE, ISSUER, KEYS, MAIN, PROFILES, SECOND, SITE, A, B, verdict
from tests.support.wechat import TOKEN, Wechat, response

FORBIDDEN = (403, "forbidden")
CALLERS = ("main", "second", "site")


def owner_in(stored):
    return stored["key"].split("/")[1]


# --- owners, limits, profiles ---


@pytest.mark.parametrize("name", ["CALLER_RATE", "files_per_day"])
def test_one_subject_has_folders_limits_and_quotas_at_each_caller(deploy, name):
    profiles = PROFILES.replace("list = true\n", "list = true\nfiles_per_day = 1\n", 1)
    is_quota = name == "files_per_day"
    changes = {"QUOTA_URL": "memory:"} if is_quota else {name: "1/min"}
    several = deploy(profiles=profiles if is_quota else PROFILES, **changes)
    first = [several.form(several.token(each)) for each in CALLERS]
    assert [each.status for each in first] == [200] * 3
    assert len({owner_in(each.json) for each in first}) == 3
    assert [several.form(several.token(each)).status for each in CALLERS] == [429] * 3


def test_a_caller_reaches_nothing_of_a_profile_of_another(several, log_lines):
    mine, world = several.token("main"), several.world
    key = several.store(several.token("second"), "second")["key"]
    # A folder of its own there would be one that the profile admitted.
    own = f"seconds/{owner_of('same', world.settings.owner_secret)}/{'A' * 22}.png"
    assert several.form(mine, "second").outcome == FORBIDDEN
    assert "[second]" in log_lines()[-1]["reason"]
    query = {"profile": "second", "filename": "a.png"}
    bearer = {"Authorization": f"Bearer {mine}"}
    assert world.ask_event(method="GET", query=query, headers=bearer).outcome == FORBIDDEN
    files = [{"profile": name, "filename": "a.png"} for name in ("picture", "second")]
    assert world.ask("upload-params", mine, files=files).outcome == FORBIDDEN
    begun = world.ask("multipart", mine, profile="second", filename="a.png", size=9)
    assert begun.outcome == FORBIDDEN
    assert world.ask("list", mine, profile="second").outcome == FORBIDDEN
    for each in (key, own):
        assert world.ask("read", mine, key=each).outcome == FORBIDDEN
        (result,) = world.ask("delete", mine, keys=[each]).json["results"]
        assert result["error"]["code"] == "forbidden"
        assert several.form(mine, replaces=each).outcome == FORBIDDEN


def test_a_receipt_of_one_caller_commits_and_discards_nothing_for_another(deploy):
    several = deploy(profiles=PROFILES.replace("hold_days", 'commit_by = "owner"\nhold_days', 1))
    stored = several.store(several.token("second"), "post")
    for name in ("main", "site"):
        for route in ("commit", "discard"):
            answer = several.world.ask(route, several.token(name), receipt=stored["receipt"])
            assert answer.outcome == FORBIDDEN
    assert several.world.status(stored["receipt"]) == "held"
    assert several.world.ask("commit", several.token("second"), receipt=stored["receipt"]).status == 200


def test_a_ticket_makes_an_upload_of_its_caller_in_any_session(several):
    form = several.form(several.token("second")).json
    assert several.world.oss.post(form["formData"], "bytes") == 200
    answer = several.world.ask("confirm", several.token("main"), ticket=form["ticket"])
    claims = jwt.decode(answer.json["receipt"], options={"verify_signature": False})
    assert (claims["app"], claims["owner"]) == (f"wechat:{B}", owner_in(form))


# --- logins and tokens ---


def test_a_stranger_cannot_tell_an_unknown_app_from_a_wrong_code(several):
    answers = [
        several.world.ask("login", code="guessed", app=app).json["error"] for app in (A, B, "wx3", "2021")
    ]
    assert len({(each["code"], each["message"]) for each in answers}) == 1


def signed_with_text(claims, secret):
    """An HS256 token by hand: the library signs none with a public key."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    text = ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    mac = hmac.digest(secret.encode(), text.encode(), "sha256")
    return f"{text}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_a_public_key_of_an_issuer_is_no_secret_of_its_tokens(deploy):
    key = (KEYS / "rsa.pub.pem").read_text()
    issuer = ISSUER.replace("HS256", "RS256").replace('"env:SITE_KEY"', f"'''{key}'''")
    several = deploy(MAIN + SECOND + issuer + 'audience = "uploads"\n')
    claims = {"iss": SITE, "sub": "same", "aud": "uploads", "exp": 2**31}
    good = {**claims, "exp": int(several.world.now().timestamp()) + 60}
    signed = jwt.encode(good, (KEYS / "rsa.pem").read_text(), "RS256")
    assert several.form(signed).status == 200
    for forged in (
        jwt.encode(good, (KEYS / "rsa_other.pem").read_text(), "RS256"),
        signed_with_text(good, key.strip()),
        # The right key, and not the algorithm of this issuer.
        jwt.encode(good, (KEYS / "rsa.pem").read_text(), "RS512"),
        jwt.encode(good, "", "none"),
        jwt.encode({**good, "aud": SESSION}, (KEYS / "rsa.pem").read_text(), "RS256"),
    ):
        assert several.form(forged).outcome == (401, "unauthorized")


# --- pushes ---


@pytest.fixture
def both(several):
    """An upload of each AppID that WeChat checks under the same trace id."""
    stored = {A: several.in_check(several.token("main")), B: several.in_check(several.token("second"))}
    assert [list(app.submitted) for app in several.apps.values()] == [["60f96f1d-1"]] * 2
    return stored


def states(several, stored):
    return [several.world.status(each["receipt"]) for each in stored.values()]


@pytest.mark.parametrize(
    ("appid", "expected"), [(A, ["published", "checking"]), (B, ["checking", "published"])]
)
def test_a_verdict_is_about_the_upload_of_its_caller_alone(several, both, appid, expected):
    assert several.push(verdict(appid), appid).text == "success"
    assert states(several, both) == expected


@pytest.mark.parametrize(
    ("token", "envelope", "appid"),
    [(A, A, A), (B, A, A), (A, B, B), (B, B, A)],
    ids=[
        "A's push",
        "A's envelope with B's Token",
        "A's Token with B's envelope",
        "B's keys around A's AppID",
    ],
)
def test_a_push_of_one_caller_is_refused_at_the_path_of_another(several, both, token, envelope, appid):
    app = Wechat(several.apps[token].token, several.apps[envelope].aes_key, appid)
    for event in (verdict(B, suggest="risky"), verdict(A, suggest="risky")):
        assert several.push(event, B, app=app).outcome == FORBIDDEN
    assert states(several, both) == ["checking", "checking"]


@pytest.mark.parametrize("field", ["AppID", "appid"])
def test_a_push_that_names_another_app_inside_is_refused(several, both, field):
    event = {**verdict(A), field: B}
    assert several.push(event).outcome == FORBIDDEN
    assert states(several, both) == ["checking", "checking"]


def test_a_record_of_another_caller_s_upload_makes_no_verdict(several, both):
    """The right envelope of A, and a record at A's trace that names the object of B."""
    records = {key: each for key, each in several.world.oss.objects.items() if "/.checks/" in key}
    of_a = "held/.checks/60f96f1d-1"
    (of_b,) = records.keys() - {of_a}
    several.world.oss.objects[of_a] = records[of_b]
    assert several.push(verdict(A, suggest="risky")).text == "success"
    assert states(several, both) == ["checking", "checking"]


@pytest.mark.parametrize("appid", [A, B])
def test_a_verdict_that_comes_before_its_record_waits_for_its_caller_alone(several, appid):
    """Both submissions get the trace id that this verdict of one of them is about."""
    assert several.push(verdict(appid), appid).text == "success"
    for name in ("main", "second"):
        stored = several.store(several.token(name), "face")
        state = several.world.commit(stored["receipt"]).json["state"]
        assert state == ("published" if (name == "main") == (appid == A) else "checking")


def test_no_caller_can_name_the_record_of_another_s_verdict(several):
    guessed = sha256(f"wechat:{B}\n60f96f1d-1".encode()).hexdigest()
    assert several.push(verdict(A, guessed)).text == "success"
    several.in_check(several.token("second"))


def test_a_push_finds_its_caller_by_the_path(several, deploy):
    for path in ("wx3", f"{A}~"):
        assert several.push(verdict(A), path=path).outcome == FORBIDDEN
    # Without an AppID it is the unnamed one's.
    assert several.push(verdict(A), path="").text == "success"
    assert several.push(verdict(B), B, path="").outcome == FORBIDDEN
    profiles = PROFILES.partition("[face]")[0]
    silent = deploy(MAIN + SECOND.partition("push_token")[0] + ANYONE, profiles)
    assert silent.push(verdict(B), B).outcome == FORBIDDEN
    nobody = deploy(MAIN.replace('owners = "unnamed"\n', "") + SECOND)
    assert nobody.push(verdict(A), path="").outcome == (404, "not_found")


# --- revocations and erasures ---


def revocation(several, appid):
    at = int(several.world.now().timestamp())
    said = {"Event": "user_authorization_revoke", "OpenID": "same", "AppID": appid, "RevokeInfo": "14"}
    return {**said, "CreateTime": at}


@pytest.mark.parametrize(("appid", "left"), [(A, "second"), (B, "main")])
def test_a_revocation_at_one_caller_erases_nothing_of_another(deploy, clock, appid, left):
    several = deploy(ERASE_ON="user_authorization_revoke")
    stored = {name: several.store(several.token(name))["key"] for name in CALLERS}
    assert several.push(revocation(several, appid), appid).text == "success"
    clock.tick(minutes=2)
    several.world.tick()
    several.world.tick()
    (gone,) = {"main", "second"} - {left}
    kept = {name for name, key in stored.items() if key in several.world.oss.objects}
    assert kept == {left, "site"}
    event = next(each for each in several.world.events if each["event"] == "revoked")
    assert (event["caller"], event["owner"]) == (f"wechat:{appid}", stored[gone].split("/")[1])


def test_an_erasure_reaches_one_caller_and_refuses_its_user_alone(several, clock):
    key = several.store(several.token("second"))["key"]
    token = several.world.backend(aud="oss-direct-upload/erasure")
    assert several.world.ask("erase", token, sub="same", caller=f"wechat:{A}").json["deleted"] == 0
    # An instance looks which owners are being erased once a minute.
    clock.tick(minutes=2)
    assert several.form(several.token("main")).outcome == FORBIDDEN
    assert several.form(several.token("second")).status == 200
    assert key in several.world.oss.objects
    assert several.world.ask("erase", token, sub="same", caller=f"wechat:{B}").json["deleted"] == 1
    assert key not in several.world.oss.objects


# --- access tokens ---


def test_each_app_s_checks_use_its_own_access_token(several):
    for _ in range(2):
        for name in ("main", "second"):
            several.in_check(several.token(name))
    for appid, app in several.apps.items():
        asked = [(call.name, call.fields.get("appid"), call.query) for call in app.asked]
        checks = [("media_check_async", None, {"access_token": f"of-{appid}"})] * 2
        assert asked == [("stable_token", appid, None), *checks]


def test_an_access_token_that_fails_stops_no_other_caller_s_check(several, clock):
    """In one request, whichever comes first, and in one tick."""
    several.apps[A].says[TOKEN] = [{"errcode": 40125}]
    receipts = [several.store(several.token(name), "face")["receipt"] for name in ("main", "second")]
    results = several.world.commit(None, receipts=receipts).json["results"]
    assert [each["state"] for each in results] == ["held", "checking"]
    clock.tick(minutes=2)
    later = several.store(several.token("second", "another"), "face")["receipt"]
    assert several.world.commit(None, receipts=[receipts[0], later]).json["results"][1]["state"] == "checking"
    several.world.tick()
    assert several.world.status(receipts[0]) == "held"
    assert len(several.apps[B].submitted) == 2


# --- the log ---


@pytest.mark.parametrize("name", ["main", "second"])
def test_the_log_names_the_section_of_a_wrong_setting_and_the_answer_does_not(several, log_lines, name):
    app = several.apps[{"main": A, "second": B}[name]]
    app.says[TOKEN] = [{"errcode": 40125}]
    stored = several.store(several.token(name), "face")
    several.world.commit(stored["receipt"])
    assert log_lines()[-1]["reason"].startswith(f"check: misconfigured, callers.toml [{name}]: ")
    several.world.others["api.weixin.qq.com"] = lambda *_, **__: response({"errcode": 40125})
    answer = several.world.ask("login", code="x", app=app.appid)
    assert answer.outcome == (500, "misconfigured")
    line = log_lines()[-1]
    assert line["reason"].startswith(f"callers.toml [{name}]: ")
    assert line["caller"] == f"wechat:{app.appid}"
    assert name not in answer.json["error"]["message"]


def test_the_log_names_the_caller_of_each_route(several, log_lines):
    world, token = several.world, several.token("second")
    stored = several.store(token)
    held = several.store(token, "post")["receipt"]
    assert several.world.ask("status", receipts=[held, held]).status == 200
    several.world.ask("list", token, profile="picture")
    assert several.world.ask("read", token, key=stored["key"]).status == 200
    assert several.world.ask("delete", token, keys=[stored["key"]]).status == 200
    several.world.ask("multipart", token, profile="video", filename="a.mp4", size=9)
    several.push({"Event": "another"}, B)
    bearer = {"Authorization": f"Bearer {world.backend()}"}
    world.ask_event(body={"token": token}, path="/introspect", headers=bearer)
    erasing = world.backend(aud="oss-direct-upload/erasure")
    world.ask("erase", erasing, sub="same", caller=f"wechat:{B}")
    seen = {line["route"]: line.get("caller") for line in log_lines() if "route" in line}
    routes = ("upload-params", "confirm", "list", "read", "delete", "multipart", "introspect", "erase")
    routes += ("wechat-events", "status")
    assert seen == dict.fromkeys(routes, f"wechat:{B}")
    world.ask("erase", erasing, sub="same")
    assert log_lines()[-1]["caller"] == f"wechat:{A}"


def test_a_check_source_of_a_removed_caller_is_still_served(deploy):
    """What WeChat was given before its caller went."""
    several = deploy(PUBLIC_URL="https://fn.example.com/api")
    several.in_check(several.token("second"))
    error = {**verdict(B), "errcode": -1008}
    assert several.push(error, B).text == "success"
    url = [*several.apps[B].submitted.values()][-1]
    assert "/check-source?t=" in url
    profiles = PROFILES.replace('"second"]', '"main"]').replace('"main", "main"', '"main"')
    later = deploy(MAIN + ISSUER, profiles, PUBLIC_URL="https://fn.example.com/api")
    answer = later.world.ask_event(method="GET", path="/check-source", query={"t": url.partition("?t=")[2]})
    assert answer.status == 200
