"""The step from one caller to several, and the way back: nothing that is under way is lost."""

import json
from pathlib import Path

import jwt
import pytest

from function.auth import app_in
from tests.function.several.conftest import ISSUER, MAIN, ONE, PROFILES, SECOND, SITE, SITE_KEY, A, B, verdict
from tests.function.uploads.conftest import FORM_TYPE, KEY_ADDRESS, base64, read_upload, sign
from tests.support.cases import profile_toml
from tests.support.world import PART, counted

FORBIDDEN = (403, "forbidden")
VECTOR = json.loads(Path(__file__).parents[2].joinpath("vectors/alipay.json").read_text("utf-8"))
# Without [second], and with its profiles for the one that stays.
REMOVED = PROFILES.replace('"main", "second"', '"main"').replace('["second"]', '["main"]')
NOBODY_ELSE = dict.fromkeys(ONE)
ALIPAY = {
    "ALIPAY_APP_ID": VECTOR["app_id"],
    "ALIPAY_KEY": VECTOR["app_private_key"],
    "ALIPAY_PUBLIC_KEY": VECTOR["alipay_public_key"],
}
DOUYIN = {"DOUYIN_APPID": "tt1", "DOUYIN_SECRET": "s"}
ISSUED = {"JWT_ISSUER": SITE, "JWT_ALGORITHM": "HS256", "JWT_KEY": SITE_KEY}
# Settings of one caller, and the section that stands for them.
KINDS = {
    "wechat": (ONE, MAIN),
    "jwt": (ISSUED, ISSUER + 'owners = "unnamed"\n'),
    "alipay": (
        ALIPAY,
        f'[main]\nkind = "alipay"\nowners = "unnamed"\napp_id = "{VECTOR["app_id"]}"\nkey = "env:PAY_KEY"\n'
        f'alipay_public_key = "{VECTOR["alipay_public_key"]}"\n',
    ),
    "douyin": (
        DOUYIN,
        '[main]\nkind = "douyin"\nowners = "unnamed"\nappid = "tt1"\nsecret = "env:MAIN_SECRET"\n',
    ),
    "anonymous": ({}, '[any]\nkind = "anonymous"\nowners = "unnamed"\n'),
}
PLAIN = profile_toml("picture", "pictures", confirm=True, parts=True, part_size="100KiB")


@pytest.mark.parametrize("kind", KINDS)
def test_tokens_of_the_unnamed_caller_are_those_of_one_caller(deploy, kind):
    own, section = KINDS[kind]
    names = 'callers = ["any"]\n' if kind == "anonymous" else ""
    alone = {**NOBODY_ELSE, "CALLER_AUTH": kind, **own}
    deployments = [
        deploy(None, profiles=PLAIN, random_bytes=counted(), **alone),
        deploy(section + SECOND, PLAIN + names, random_bytes=counted(), PAY_KEY=VECTOR["app_private_key"]),
    ]
    said = []
    for each in deployments:
        name = {"jwt": "site", "anonymous": "any"}.get(kind, "main")
        token = each.token(name)
        form = each.form(token).json
        begun = each.world.ask("multipart", token, profile="picture", filename="a.png", size=9).json
        # OSS has another id for each.
        ticket = jwt.decode(begun["ticket"], options={"verify_signature": False})
        said.append([token, form, {**ticket, "upload": ""}])
        assert ticket.get("app") == {"wechat": A, "alipay": VECTOR["app_id"], "douyin": "tt1"}.get(kind)
    assert said[0] == said[1]
    # Each confirms what the other signed, with one receipt.
    assert deployments[0].world.oss.post(said[0][1]["formData"], "bytes") == 200
    receipts = [
        each.world.ask("confirm", ticket=form["ticket"]).json["receipt"]
        for each, (_, form, *_) in zip(deployments, reversed(said), strict=True)
    ]
    assert receipts[0] == receipts[1]
    assert "app" not in jwt.decode(receipts[0], options={"verify_signature": False})


# --- what is under way ---


def begin(here, name):
    """All that an upload of this caller can be in the middle of."""
    token, appid = here.token(name), {"main": A, "second": B}[name]
    posted = here.form(token).json
    assert here.world.oss.post(posted["formData"], "bytes") == 200
    wanted = {"profile": "video", "filename": "a.mp4", "size": PART + 1}
    parts = here.world.ask("multipart", token, **wanted).json
    here.apps[appid].answers = [0, 0, None]
    checking, doubted, silent = (here.store(token, "face") for _ in range(3))
    for each, state in ((checking, "checking"), (doubted, "checking"), (silent, "held")):
        assert here.world.commit(each["receipt"]).json["state"] == state
    traces = [*here.apps[appid].submitted]
    doubt = verdict(appid, traces[-1], "review")
    assert here.push(doubt, appid).text == "success"
    begun = {"token": token, "form": here.form(token).json, "posted": posted, "parts": parts}
    begun |= {name: here.store(token, "post") for name in ("held", "given")}
    begun |= {"uncommitted": here.store(token, "face"), "checking": checking, "trace": traces[-2]}
    return {**begun, "doubted": doubted, "silent": silent}


def finish(here, begun, appid, clock):
    """Each goes on as if nothing had been deployed."""
    world = here.world
    assert here.form(begun["token"]).status == 200
    assert world.oss.post(begun["form"]["formData"], "bytes") == 200
    for form in (begun["form"], begun["posted"]):
        assert world.ask("confirm", ticket=form["ticket"]).status == 200
    assert set(world.send(begun["parts"])) == {200}
    assert world.complete(begun["parts"]["ticket"]).status == 200
    assert world.ask("discard", begun["token"], receipt=begun["given"]["receipt"]).json["state"] == "gone"
    assert world.commit(begun["held"]["receipt"]).json["state"] == "published"
    assert world.status(begun["doubted"]["receipt"]) == "review"
    decided = world.commit(begun["doubted"]["receipt"], decision="publish")
    assert decided.json["state"] == "published"
    assert here.push(verdict(appid, begun["trace"]), appid).text == "success"
    assert world.status(begun["checking"]["receipt"]) == "published"
    assert world.commit(begun["uncommitted"]["receipt"]).json["state"] == "checking"
    clock.tick(minutes=2)
    world.tick()
    assert world.status(begun["silent"]["receipt"]) == "checking"


ALL = MAIN + SECOND + ISSUER


@pytest.mark.parametrize(
    ("before", "after"), [(None, ALL), (ALL, None), (ALL, SECOND + MAIN)], ids=["to", "back", "within"]
)
def test_uploads_of_the_unnamed_caller_go_on(deploy, clock, before, after):
    begun = begin(deploy(before), "main")
    finish(deploy(after), begun, A, clock)


def test_uploads_of_a_named_caller_go_on_under_another_name(deploy, clock):
    """A section may be called otherwise: its id may not change, and has not."""
    begun = begin(deploy(ALL), "second")
    renamed = SECOND.replace("[second]", "[other]")
    later = deploy(MAIN + renamed, PROFILES.replace('"second"', '"other"'))
    finish(later, begun, B, clock)


def test_without_an_unnamed_section_a_backend_goes_on_with_what_the_one_caller_had(deploy):
    """A deployment refuses that; a backend can mend it all the same."""
    begun = begin(deploy(None), "main")
    named = deploy(MAIN.replace('owners = "unnamed"\n', "") + SECOND)
    assert named.form(begun["token"]).outcome == (401, "unauthorized")
    assert named.world.ask("confirm", ticket=begun["posted"]["ticket"]).outcome == FORBIDDEN
    assert as_backend(named.world, "confirm", ticket=begun["posted"]["ticket"]).status == 200
    assert named.world.ask("status", receipt=begun["held"]["receipt"]).outcome == FORBIDDEN
    assert named.world.commit(begun["held"]["receipt"]).json["state"] == "published"
    assert named.world.commit(begun["uncommitted"]["receipt"]).json["state"] == "review"
    # An issuer's users had tokens without an app.
    assert app_in({"bucket": named.world.oss.name}, named.world.settings, named.world.oss.name) is None


# --- what a caller leaves behind ---


@pytest.fixture(params=["several", "one"])
def left(deploy, request):
    """What [second] had under way, and the deployment after it: of the others, or of one caller again."""
    begun = begin(deploy(ALL), "second")
    is_one = request.param == "one"
    later = deploy(None) if is_one else deploy(MAIN + ISSUER, REMOVED)
    return begun, later


def as_backend(world, route, **fields):
    return world.ask(route, world.backend(), **fields)


def test_sessions_of_a_removed_caller_end_and_its_own_requests_are_forbidden(left):
    begun, later = left
    world = later.world
    assert later.form(begun["token"]).outcome == (401, "unauthorized")
    assert world.ask("list", begun["token"], profile="picture").outcome == (401, "unauthorized")
    asked = {"Authorization": f"Bearer {world.backend()}"}
    said = world.ask_event(body={"token": begun["token"]}, path="/introspect", headers=asked)
    assert said.json == {"active": False}
    assert world.ask("confirm", ticket=begun["posted"]["ticket"]).outcome == FORBIDDEN
    for route in ("multipart-parts", "multipart-complete", "multipart-abort"):
        assert world.ask(route, ticket=begun["parts"]["ticket"]).outcome == FORBIDDEN
    assert world.ask("status", receipt=begun["held"]["receipt"]).outcome == FORBIDDEN
    for route in ("commit", "discard"):
        answer = world.ask(route, begun["token"], receipt=begun["held"]["receipt"])
        assert answer.outcome in (FORBIDDEN, (401, "unauthorized"))
    assert world.ask("status", world.backend(), receipt=begun["held"]["receipt"]).json["state"] == "held"


def test_a_backend_goes_on_with_what_a_removed_caller_has_left(left):
    begun, later = left
    world = later.world
    assert as_backend(world, "confirm", ticket=begun["posted"]["ticket"]).status == 200
    assert set(world.send(begun["parts"])) == {200}
    assert as_backend(world, "multipart-complete", ticket=begun["parts"]["ticket"]).status == 200
    assert world.commit(begun["held"]["receipt"]).json["state"] == "published"
    assert world.discard(begun["given"]["receipt"]).json["state"] == "gone"
    (item,) = as_backend(world, "reviews").json["items"]
    caller = None if later.world.settings.only else f"wechat:{B}"
    assert (item["receipt"], item.get("caller")) == (begun["doubted"]["receipt"], caller)
    assert world.commit(begun["doubted"]["receipt"], decision="publish").json["state"] == "published"


def test_a_check_that_needs_secrets_of_a_removed_caller_becomes_a_review(left, clock):
    begun, later = left
    world = later.world
    assert world.commit(begun["uncommitted"]["receipt"]).json["state"] == "review"
    clock.tick(minutes=2)
    world.tick()
    reasons = {each["receipt"]: each["reason"] for each in as_backend(world, "reviews").json["items"]}
    assert reasons[begun["uncommitted"]["receipt"]] == "removed"
    assert reasons[begun["silent"]["receipt"]] == "removed"


def test_a_check_under_way_of_a_removed_caller_ends_in_a_review(left, clock):
    """Its verdict comes to an address that is gone, and silence is no pass."""
    begun, later = left
    assert later.push(verdict(B, begun["trace"]), B).outcome == FORBIDDEN
    for _ in range(3):
        clock.tick(hours=25)
        later.world.tick()
    state = as_backend(later.world, "status", receipt=begun["checking"]["receipt"]).json["state"]
    assert state == "review"


def test_ticks_end_what_a_removed_caller_has_left(left, clock):
    begun, later = left
    later.world.events.clear()
    clock.tick(days=8)
    for _ in range(6):
        clock.tick(minutes=2)
        later.world.tick()
    caller = None if later.world.settings.only else f"wechat:{B}"
    expired = [each for each in later.world.events if each["event"] == "expired"]
    ended = {(each["receipt"], each.get("caller")) for each in expired}
    assert ended == {(begun[name]["receipt"], caller) for name in ("checking", "doubted", "silent")}
    keys = [key for key in later.world.oss.objects if key.startswith("held/faces/")]
    assert keys == [f"held/{begun['uncommitted']['key']}"]


def test_oss_reports_an_upload_of_a_removed_caller(left, key_host):
    """The business hears of it, with the caller whose it was."""
    begun, later = left
    later.world.others["gosspublic.alicdn.com"] = key_host
    later.world.events.clear()
    upload = read_upload(begun["posted"])
    body = upload.body(bucket=later.world.oss.name)
    signed = {"authorization": sign("/callback", "", body), "x-oss-pub-key-url": base64(KEY_ADDRESS)}
    headers = {**signed, "content-type": FORM_TYPE}
    answer = later.world.ask_event(path="/callback", base64=base64(body), headers=headers)
    assert answer.status == 200, answer.text
    (event,) = later.world.events
    assert event.get("caller") == (None if later.world.settings.only else f"wechat:{B}")


# --- a caller that a profile does not name any more ---


def test_a_profile_that_names_a_caller_no_more_refuses_its_own_requests_alone(deploy, clock):
    begun = begin(deploy(ALL), "second")
    profiles = PROFILES.replace('"main", "second"', '"main"')
    for name in ("picture", "video", "post"):
        profiles = profiles.replace(f"[{name}]\n", f'[{name}]\ncallers = ["main"]\n')
    later = deploy(ALL, profiles)
    world = later.world
    for profile in ("picture", "face", "post"):
        assert later.form(begun["token"], profile).outcome == FORBIDDEN
    assert later.form(begun["token"], "second").status == 200
    assert world.ask("confirm", ticket=begun["posted"]["ticket"]).outcome == FORBIDDEN
    assert world.ask("multipart-parts", ticket=begun["parts"]["ticket"]).outcome == FORBIDDEN
    receipt = begun["held"]["receipt"]
    assert world.ask("status", receipt=receipt).outcome == FORBIDDEN
    assert world.ask("discard", begun["token"], receipt=receipt).outcome == FORBIDDEN
    answer = world.ask("status", receipts=[receipt, begun["given"]["receipt"]])
    assert [each["error"]["code"] for each in answer.json["results"]] == ["forbidden"] * 2
    # Its checks go on: the secrets are there.
    assert later.push(verdict(B, begun["trace"]), B).text == "success"
    said = as_backend(world, "status", receipt=begun["checking"]["receipt"])
    assert said.json["state"] == "published"
    assert world.commit(begun["uncommitted"]["receipt"]).json["state"] == "checking"
    assert world.commit(receipt).json["state"] == "published"
