"""holding.current_state: an object is treated by the rules that it was stored under, or by a human."""

import json
from base64 import b64decode
from itertools import combinations
from types import SimpleNamespace

import pytest

from function.config.profiles import read_profiles
from function.moderation.finding import Outcome
from tests.function.config.named import named
from tests.function.holding.conftest import FORBIDDEN, later, refused
from tests.function.holding.test_clean_copy import DIRTY
from tests.support.cases import table_beside

KINDS = table_beside(__file__)["KINDS"]
PROFILE = """
[{name}]
key = "pictures/{{owner}}/{key}{{ext}}"
max_size = "1MiB"
content_types = ["image/jpeg"]
confirm = true
parts = {parts}
{lines}
"""
RULES = "x-oss-meta-rules"
WANTED = {"filename": "a.jpg", "sha256": "a" * 64, "size": len(DIRTY)}


def text_of(kind, name="p", parts=False):
    """A profile of this kind; a clean picture has no name that is its digest."""
    key = "{id}" if kind == "clean" or parts else "{sha256}"
    return PROFILE.format(name=name, key=key, parts=str(parts).lower(), lines=KINDS[kind])


def rules_of(kind):
    return read_profiles(text_of(kind), default_signature="v4")[0]["p"].rules


@pytest.fixture
def world_of(house_of):
    def build(kind, **changes):
        # Each kind has sessions of its own before their one OSS.
        role = f"acs:ram::1234567890123456:role/{kind.replace(' ', '-')}"
        return house_of(text_of(kind), CALLER_RATE="900000000/min", STS_ROLE_ARN=role, **changes)

    return build


def store(world, **fields):
    """An upload that its checker, if it has one, leaves to a human."""
    world.green.answers = ["review"]
    stored = world.store("p", **{**WANTED, "body": DIRTY, **fields})
    if world.settings.profiles["p"].hold == ("commit", "check"):
        world.commit(stored["receipt"])
    return stored


@pytest.mark.parametrize(("one", "other"), [*combinations(KINDS, 2)])
def test_profiles_of_one_folder_have_equal_rules_of_a_hold(one, other):
    assert rules_of(one) != rules_of(other)
    texts = text_of(one, "a"), text_of(other, "b")
    for text in ("".join(texts), "".join(texts).replace("pictures/", "pictures/deep/", 1)):
        problems = [problem.sentence for problem in read_profiles(text, default_signature="v4")[1]]
        assert [("[a]" in sentence, "[b]" in sentence) for sentence in problems] == [(True, True)] * 2
        options = named(problems[0])
        assert options == named(problems[1])
        assert options.startswith("hold")


@pytest.mark.parametrize("kind", KINDS)
def test_days_and_sizes_are_no_rules_of_a_hold(kind):
    more = text_of(kind, "b").replace('"1MiB"', '"2MiB"') + "hold_days = 9\ncallback = true\n"
    profiles, problems = read_profiles(text_of(kind, "a") + more, default_signature="v4")
    assert not problems
    assert profiles["a"].rules == profiles["b"].rules


# --- what carries them ---


@pytest.mark.parametrize("kind", ["clean", "owner"])
def test_a_held_and_its_published_object_carry_the_rules(world_of, kind):
    world = world_of(kind)
    stored = store(world)
    assert stored["formData"][RULES] == rules_of(kind)
    held = world.oss.objects[f"held/{stored['key']}"]
    answer = world.ask("commit", world.session(), receipt=stored["receipt"])
    assert answer.json["state"] == "published"
    published = world.oss.objects[stored["key"]]
    assert held.headers[RULES] == published.headers[RULES] == rules_of(kind)


@pytest.mark.parametrize("signature", ["v4", "v1"])
def test_a_form_pins_the_rules(world_of, signature):
    form = world_of("both", OSS_SIGNATURE_VERSION=signature).form("p", **WANTED)["formData"]
    assert {RULES: rules_of("both")} in json.loads(b64decode(form["policy"]))["conditions"]


def test_an_object_of_parts_carries_the_rules(house_of):
    world = house_of(text_of("backend", parts=True))
    begun = world.ask("multipart", world.session(), profile="p", filename="a.jpg", size=200000).json
    world.send(begun)
    done = world.complete(begun["ticket"]).json
    assert world.oss.objects[f"held/{done['key']}"].headers[RULES] == rules_of("backend")


# --- other rules ---


@pytest.fixture
def play(world_of, clock):
    """The worlds of the kinds, before one OSS that is empty at the beginning of each play."""
    worlds = {kind: world_of(kind) for kind in KINDS}
    oss = worlds["backend"].oss
    empty = oss.snapshot()

    def begin(one, other):
        oss.restore(empty)
        clock.tick(minutes=2)
        for world in (worlds[one], worlds[other]):
            world.green.asked.clear()
            world.wechat.submitted.clear()
        return worlds[one], worlds[other]

    return SimpleNamespace(begin=begin, oss=oss, worlds=worlds)


# Each kind before each other would take four times as long; here each is before and after three others.
AROUND = [*KINDS, *KINDS]
NEIGHBOURS = [(one, AROUND[place + steps]) for place, one in enumerate(KINDS) for steps in (1, 4, 6)]


def test_no_rules_of_another_kind_publish_what_is_held(play):
    """What is stored under one kind is left to a human after its profile became one of another kind."""
    for one, other in NEIGHBOURS:
        before, after = play.begin(one, other)
        stored = store(before)
        asked = len(before.green.asked), len(before.wechat.submitted)
        profile, receipt = after.settings.profiles["p"], stored["receipt"]
        form = after.form("p", **WANTED)
        assert "exists" not in form, (one, other)
        assert after.ask("confirm", ticket=form["ticket"]).code in ("forbidden", "not_uploaded")
        after.ask("commit", after.session(), receipt=receipt)
        after.status(receipt)
        if profile.is_checked:
            after.commit(receipt)
        after.tick()
        if before.wechat.submitted:
            after.verdict(Outcome.PASS)
        if profile.is_checked:
            assert after.status(receipt) == "review", (one, other)
        assert (len(before.green.asked), len(before.wechat.submitted)) == asked
        assert (after.green.asked, after.wechat.submitted) == ([], {}), (one, other)
        assert stored["key"] not in play.oss.objects, (one, other)
        answer = after.commit(receipt, decision="publish")
        assert answer.json["state"] == "published", (one, other)


def test_an_object_published_by_other_rules_does_not_exist_already(play):
    kinds = [kind for kind in KINDS if kind != "clean"]
    for one in kinds:
        before, _ = play.begin(one, one)
        stored = store(before)
        assert before.commit(stored["receipt"], decision="publish").json["state"] == "published"
        for other in kinds:
            assert ("exists" in play.worlds[other].form("p", **WANTED)) is (one == other), (one, other)


def test_an_object_without_rules_is_treated_by_those_of_its_profile(play):
    """An earlier version stored it."""
    before, after = play.begin("backend", "aliyun")
    stored = store(before)
    held = play.oss.objects[f"held/{stored['key']}"]
    play.oss.replace_object(f"held/{stored['key']}", headers={**held.headers, RULES: None})
    del play.oss.objects[f"held/{stored['key']}"].headers[RULES]
    assert after.form("p", **WANTED)["exists"]
    assert after.commit(stored["receipt"]).json["state"] == "published"
    assert len(after.green.asked) == 1


@pytest.mark.parametrize(
    ("before", "after", "state"),
    [
        ("owner", "backend", "published"),
        ("wechat", "both", "review"),
    ],
)
def test_a_backend_commits_what_is_held_by_other_rules_as_ever(play, before, after, state):
    before, after = play.begin(before, after)
    stored = store(before)
    assert later(after, minutes=35).commit(stored["receipt"]).json["state"] == state


def test_an_owner_commits_nothing_that_is_held_by_other_rules(play, log_lines):
    before, after = play.begin("backend", "owner")
    stored = store(before)
    answer = after.ask("commit", after.session(), receipt=stored["receipt"])
    assert refused(answer) == FORBIDDEN
    assert log_lines()[-1]["reason"] == "stored under other rules"


def test_no_tick_publishes_unchecked_what_was_committed_to_a_check(play):
    before, after = play.begin("both by owner", "clean")
    stored = store(before)
    later(after, minutes=2).tick()
    assert after.status(stored["receipt"]) == "review"
    assert stored["key"] not in play.oss.objects


@pytest.mark.parametrize("other", ["clean", "both by owner"])
def test_an_owner_leaves_what_is_held_by_other_rules_to_a_human(play, other):
    before, after = play.begin("owner", other)
    stored = store(before)
    for _ in range(2):
        assert after.ask("commit", after.session(), receipt=stored["receipt"]).json["state"] == "review"
    (item,) = after.ask("reviews", after.backend()).json["items"]
    assert (item["receipt"], item["reason"], item["by"]) == (stored["receipt"], "rules", None)


def test_a_check_that_has_begun_goes_on_under_other_rules(play):
    before, after = play.begin("wechat", "frame")
    stored = store(before)
    assert after.commit(stored["receipt"]).json["state"] == "checking"
    before, after = play.begin("wechat", "both by owner")
    receipt = store(before)["receipt"]
    assert after.ask("commit", after.session(), receipt=receipt).json["state"] == "checking"


def test_a_confirmation_begins_no_check_by_other_rules(play):
    before, after = play.begin("wechat", "aliyun")
    form = before.form("p", **WANTED)
    assert before.oss.post(form["formData"], "a", body=DIRTY) == 200
    assert after.ask("confirm", ticket=form["ticket"]).json["state"] == "review"
    assert (after.green.asked, after.due()) == ([], [])
    # The first confirmation told the business of the review.
    after.ask("confirm", ticket=form["ticket"])
    assert (after.told.count("review"), after.due()) == (1, [])


def test_an_object_that_a_hold_published_exists_for_a_profile_without_hold(play, house_of):
    before, _ = play.begin("owner", "owner")
    stored = store(before)
    before.commit(stored["receipt"])
    without = PROFILE.format(name="p", key="{sha256}", parts="false", lines="")
    assert house_of(without).form("p", **WANTED)["exists"]
