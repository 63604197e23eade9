"""``RECEIPT_SECRET``: a first one comes by the steps of the page, and loses nothing that is held."""

import re

import pytest

from tests.docs.markdown import both, page
from tests.function.holding.conftest import ALIYUN, BOTH, COMMIT, FORBIDDEN, later, names, profile, refused

SECRETS = {name: f"{name}-secret-of-a-rotation-0123456789abcdef" for name in ("old", "new", "other")}
PROFILES = profile("week", COMMIT, "hold_days = 7", folder="weeks")
PROFILES += profile("seen", BOTH, ALIYUN, "hold_days = 7")
PROFILES += profile(
    *("mine", "list = true", 'delete = "owner"', COMMIT, "hold_days = 7", 'commit_by = "owner"')
)


def steps_of(text):
    """The settings that the page has an operator change in each step."""
    section = text[re.search(r"^### .*RECEIPT_SECRET$", text, re.M).end() :].partition("\n## ")[0]
    rows = re.findall(r"^\| [1-9] \| ([^|]+) \|", section, re.M)
    return [
        {
            name: ",".join(SECRETS[each] for each in secrets.split(","))
            for name, secrets in re.findall(r"`([A-Z_]+)=([a-z,]+)`", row)
        }
        for row in rows
    ]


@pytest.fixture
def settings():
    """The settings before the first step, and after each one."""
    now = {"TOKEN_SECRET": SECRETS["old"], "RECEIPT_SECRET": None}
    found = [now]
    for step in steps_of(page("docs/operations.md")):
        found.append({**found[-1], **step})
    return found


@pytest.fixture
def stage(house_of, settings):
    return lambda number: house_of(PROFILES, **settings[number])


def test_both_pages_have_the_same_three_steps():
    english, chinese = (steps_of(page(name)) for name in both("docs/operations.md"))
    assert english == chinese
    settings = [" ".join(step) for step in english]
    assert settings == ["OWNER_SECRET", "RECEIPT_SECRET TOKEN_SECRET", "RECEIPT_SECRET"]


def test_nothing_that_is_held_is_lost_by_the_steps(stage, clock):
    before = stage(0)
    uploads = [before.store(profile) for profile in ("week", "week", "seen", "mine")]
    checked = before.store("seen")
    before.commit(checked["receipt"])
    first = stage(1)
    assert first.form("week")["key"].rpartition("/")[0] == uploads[0]["key"].rpartition("/")[0]
    clock.tick(minutes=5)
    second = stage(2)
    assert second.form("week")["key"].rpartition("/")[0] == uploads[0]["key"].rpartition("/")[0]
    later(second, days=6, hours=23).tick()
    assert [second.status(each["receipt"]) for each in uploads] == ["held"] * 4
    committed, discarded, seen, mine = (each["receipt"] for each in uploads)
    answer = second.ask("commit", second.backend(SECRETS["old"]), receipt=committed)
    assert answer.json["state"] == "published"
    assert second.discard(discarded, second.backend(SECRETS["new"])).json["state"] == "gone"
    second.commit(seen)
    assert second.ask("commit", second.session(), receipt=mine).json["state"] == "published"
    assert names(second, uploads[2]) == ["key"]
    late = second.store("week")
    clock.tick(days=2, minutes=5)
    third = stage(3)
    assert refused(third.ask("status", receipt=committed)) == FORBIDDEN
    assert third.status(late["receipt"]) == "held"
    assert not [key for key in third.oss.objects if key.startswith("held/w") and late["key"] not in key]


def test_the_old_secret_opens_no_session_and_no_ticket(stage):
    before, after = stage(0), stage(2)
    form = before.form("week")
    assert before.oss.post(form["formData"], "a") == 200
    for route, fields in {
        "upload-params": {"profile": "week", "filename": "a.png"},
        "list": {"profile": "mine"},
        "delete": {"keys": ["mine/a"]},
    }.items():
        assert before.ask(route, before.session(), **fields).status == 200 or route == "delete"
        assert refused(after.ask(route, before.session(), **fields)) == (401, "unauthorized")
    stored = before.store("mine")
    for route in ("commit", "discard"):
        refusal = refused(after.ask(route, before.session(), receipt=stored["receipt"]))
        assert refusal == (401, "unauthorized")
    assert refused(after.ask("confirm", ticket=form["ticket"])) == FORBIDDEN
    assert after.ask("upload-params", after.session(), profile="week", filename="a.png").status == 200
