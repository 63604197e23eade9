"""``/erase``: everything of one owner, in every bucket, with versions, parts and held objects."""

import json
from datetime import timedelta
from itertools import count as counted

import jwt
import pytest

from function.errors import OssUnavailable
from function.oss.due import list_due
from function.oss.versions import Markers
from function.owners.erasure import advance, begin, continue_erasure
from function.owners.erasure_pass import LEAST_SECONDS
from function.owners.erasure_records import RUNNING, latest, places, records_client, save
from function.sts.session_policy import DELETIONS, OBJECTS
from tests.function.owners.conftest import (
    BAD,
    ELSEWHERE,
    FORBIDDEN,
    MINE,
    OWNER,
    PROFILES,
    THEIRS,
    THEM,
    claims_of,
    key,
    number,
    one_more,
    said,
    store,
)
from tests.support.memory_oss import BROKEN, BROKEN_AFTER, DENIED, LATE, LOST, MALFORMED, UNHEARD

ERASURE = "oss-direct-upload/erasure"
COVERED = ["picture", "held", "same", "tight", "tighta", "shared", "closed", "page"]
NOT_COVERED = ["receipt", "plain"]
FILM = 'confirm = true\nparts = true\nhold = ["commit"]\n'


@pytest.fixture
def erasing(house_of):
    return house_of(ERASE="true")


def token(house, **claims):
    return house.backend(**{"aud": ERASURE, **claims})


def erase(house, instance=0, **fields):
    return house.ask("erase", token(house), instance, **(fields or {"sub": OWNER}))


def erased(house, clock, **fields):
    """Repeat the call until the erasure is done: its last response."""
    for _ in range(9):
        answer = said(erase(house, **fields))
        if answer["state"] == "done":
            return answer
        clock.tick(minutes=40)
    raise AssertionError(answer)


def left(oss):
    """All that is below a folder of an owner, in any form."""
    uploads = [upload.key for upload in oss.uploads.values()]
    return {name for name in (*oss.objects, *oss.past, *uploads) if not name.startswith("held/.")}


def ours(oss):
    return {name for name in left(oss) if MINE in name}


def is_over(oss):
    """Whether only the picture of another owner is left, and nothing to do."""
    to_do = [name for name in oss.objects if name.startswith((RUNNING, "held/.due/"))]
    return left(oss) == {key("picture", owner=THEIRS)} and not to_do


def begin_parts(house, subject=OWNER):
    fields = {"profile": "film", "filename": "a.png", "contentType": "image/png", "size": 1}
    assert house.ask("multipart", house.session(subject), **fields).status == 200


def slow(house, readings=3):
    """From now on so many readings of its clock take a second."""
    elapsed = counted()
    house.monotonic = lambda: next(elapsed) / readings


def tick_until_done(house, clock):
    for _ in range(4):
        house.tick()
        clock.tick(minutes=40)


# --- what it erases ---


def test_everything_of_one_owner_is_erased_and_nothing_of_another(erasing, oss, clock):
    mine = [*(key(profile) for profile in COVERED), f"held/{key('held', 1)}"]
    theirs = [*(key(profile, owner=THEIRS) for profile in COVERED), f"held/{key('held', 1, THEIRS)}"]
    kept = [*theirs, key("receipt"), key("plain"), f"pictures/{MINE}x/1", f"pictures/{MINE}", "x"]
    names = ("a&<b>.png", "图 1.png", "a\x01b", "a\rb", "a%20b", "deep/er", "\u2028")
    odd = [f"pages/{MINE}/{name}" for name in names]
    store(oss, *mine, *odd, *kept)
    answer = erased(erasing, clock)
    assert answer["profiles"] == COVERED and answer["notCovered"] == NOT_COVERED
    assert (answer["deleted"], answer["aborted"]) == (len({*mine, *odd}), 0)
    assert left(oss) == set(kept)
    assert erasing.told == []


def test_versions_markers_and_unfinished_parts_are_erased_in_every_bucket(house_of, oss, clock):
    there = f"list = true\n{ELSEWHERE}"
    house = house_of(PROFILES + one_more("film", FILM) + one_more("there", there), ERASE="true")
    other = house.add_bucket("other-bucket", "cn-hangzhou")
    away = f"there/{MINE}/{number(0)}"
    for bucket, names in ((oss, (key("picture"), key("picture", owner=THEIRS))), (other, (away,))):
        store(bucket, *names)
        bucket.versioning = "Enabled"
        for _ in range(3):
            store(bucket, *names)
            bucket._delete(names[0])
    for subject in (OWNER, OWNER, THEM):
        begin_parts(house, subject)
    answer = erased(house, clock)
    # Four versions and three markers in each.
    assert (answer["deleted"], answer["aborted"]) == (14, 2)
    assert not ours(oss) and not left(other) and key("picture", owner=THEIRS) in oss.objects
    assert len(oss.uploads) == 1


@pytest.mark.parametrize("no_version", ["null", ""])
@pytest.mark.parametrize("takes_null", [True, False])
def test_objects_of_a_bucket_without_versions_are_erased_whatever_their_id_is(
    erasing, oss, clock, no_version, takes_null
):
    oss.no_version, oss.takes_null = no_version, takes_null
    store(oss, *(key("picture", count) for count in range(50)), key("picture", owner=THEIRS))
    assert erased(erasing, clock)["deleted"] == 50
    assert left(oss) == {key("picture", owner=THEIRS)}
    # Once OSS refused an id, it is not asked fifty times.
    assert oss.asked.count("DeleteObject") < 10


def test_a_key_that_the_answer_leaves_out_is_deleted_by_itself(erasing, oss, clock):
    store(oss, *(key("picture", count) for count in range(4)))
    oss.fail("DeleteMultipleObjects", DENIED)
    assert erased(erasing, clock)["deleted"] == 4
    assert not ours(oss)
    # Beside the mark of the job, and its records.
    assert [oss.asked.count(f"Delete{what}") for what in ("Object", "MultipleObjects")] == [5, 2]


def test_an_object_under_retention_keeps_the_erasure_running(erasing, oss, clock):
    store(oss, *(key("picture", count) for count in range(3)))
    for oss.refuses_whole in (False, True):
        oss.retained = {key("picture", 0)}
        oss.asked.clear()
        answer = said(erase(erasing))
        assert (answer["state"], answer["blocked"], ours(oss)) == ("running", 1, {key("picture", 0)})
        assert oss.asked.count("DeleteMultipleObjects") == 1
        clock.tick(hours=2)
        assert said(erase(erasing))["state"] == "running"
        calls = len(oss.asked)
        # Until an hour has gone nothing is tried again.
        assert said(erase(erasing))["blocked"] == 1 and len(oss.asked) - calls < 5
        store(oss, key("picture", 1))
        clock.tick(hours=1)
    oss.retained = set()
    assert erased(erasing, clock)["state"] == "done"
    assert not ours(oss)


def test_an_erasure_under_retention_is_an_error_of_the_log_each_hour(erasing, oss, clock, log_lines):
    store(oss, key("picture", 0), key("picture", 1))
    oss.retained = {key("picture", 1)}
    begin(erasing.call(), MINE)
    named = []
    for _ in range(6 * 60):
        if erasing.due("erase") and min(erasing.due("erase")) < f"{clock():%Y%m%d%H%M}0":
            erasing.tick()
            named.append(len([line for line in log_lines() if line.get("due") == "stuck"]))
        clock.tick(minutes=1)
    assert named == [1, 2, 3, 4, 5, 6]
    assert [line["name"] for line in log_lines() if line.get("reason")] == [f"{MINE}-1"] * 6
    oss.retained = set()
    assert erased(erasing, clock)["state"] == "done"


def test_without_retention_or_before_the_end_of_a_pass_nothing_is_stuck(erasing, oss, clock, log_lines):
    store(oss, *(key("picture", count) for count in range(60)))
    begin(erasing.call(), MINE)
    erasing.tick()
    clock.tick(hours=2)
    oss.retained = {key("picture", count) for count in range(60)}
    store(oss, *oss.retained)
    slow(erasing)
    erasing.tick()
    state = latest(records_client(erasing.call()), MINE)
    assert state.blocked and state.pass_began
    assert max(erasing.due("erase"))[:12] == f"{clock() + timedelta(minutes=1):%Y%m%d%H%M}"
    assert not [line for line in log_lines() if line.get("due") == "stuck"]


HOOKS = "def before_sign(caller, wanted, profile):\n    return None\n"


def test_with_hooks_only_profiles_with_folders_inside_the_owner_are_covered(erasing, oss, clock, tmp_path):
    hooks = tmp_path / "hooks.py"
    hooks.write_text(HOOKS, "utf-8")
    erasing.restart(hooks_file=hooks)
    inside = f"pictures/{MINE}/shop/7/{number(0)}.png"
    store(oss, inside, key("page"))
    answer = erased(erasing, clock)
    covered = ["picture", "held", "same", "tight", "tighta", "shared"]
    assert (answer["profiles"], answer["notCovered"]) == (covered, ["closed", "receipt", "plain", "page"])
    assert left(oss) == {key("page")}


# --- who may ask, and for whom ---


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, (200, "")),
        ({"aud": [ERASURE, "elsewhere"]}, (200, "")),
        *(({"aud": f"oss-direct-upload/{kind}"}, FORBIDDEN) for kind in ("backend", "receipt")),
        ({"aud": ["oss-direct-upload/backend", ERASURE]}, FORBIDDEN),
        *(({"exp": end}, FORBIDDEN) for end in (0, 10**12)),
        ({"secret": "another-secret-0123456789abcdef-xyz"}, FORBIDDEN),
    ],
    ids=str,
)
def test_only_a_token_for_erasing_erases(erasing, oss, claims, expected):
    assert erasing.ask("erase", token(erasing, **claims), sub=OWNER).outcome == expected
    assert bool(oss.asked) is (expected[0] == 200)


def test_the_clean_copies_of_an_owner_are_erased(house_of, oss, clock):
    """They are named by the owner for that, and say nothing else of the upload."""
    seen = 'key = "seen/{owner}/{id}{ext}"\nmax_size = 99\ncontent_types = ["image/*"]\n'
    house = house_of(
        f'{PROFILES}\n[seen]\n{seen}confirm = true\nhold = ["commit"]\nstrip = true\n', ERASE="true"
    )
    mine, theirs = (f"held/.clean/{owner}/{'a' * 22}" for owner in (MINE, THEIRS))
    store(oss, mine, theirs, f"seen/{MINE}/{number(0)}.png", f"held/seen/{MINE}/{number(1)}.png")
    assert erased(house, clock)["deleted"] == 3
    assert (mine in oss.objects, theirs in oss.objects) == (False, True)


def test_a_token_for_erasing_opens_nothing_else(erasing, oss):
    stored = erasing.store("held")
    for route, fields in (("commit", {"receipt": stored["receipt"]}), ("delete", {"keys": [stored["key"]]})):
        for claims in ({}, {"aud": ["oss-direct-upload/backend", ERASURE]}):
            assert erasing.ask(route, token(erasing, **claims), **fields).status in (401, 403)
    for route in ("upload-params", "list"):
        assert erasing.ask(route, token(erasing), profile="picture").status == 401
    for given in ("", erasing.session()):
        assert erasing.ask("erase", given, sub=OWNER).status in (401, 403)
    assert oss.names() == {f"held/{stored['key']}"}


@pytest.mark.parametrize(
    "fields",
    [
        *({"x": 1}, {"sub": OWNER, "owner": MINE}, {"sub": OWNER, "caller": "wx1"}),
        {"owner": MINE, "caller": "wechat:wx1"},
        *({"sub": odd} for odd in ("", 7, "x" * 256, [OWNER])),
        *({"owner": odd} for odd in ("", "public", MINE.upper(), MINE[:25], MINE + "a", 7, f"{MINE[:25]}/")),
    ],
    ids=str,
)
def test_a_malformed_owner_is_refused(erasing, oss, fields):
    assert erase(erasing, **fields).outcome == BAD
    assert oss.asked == []


def test_an_owner_is_named_by_subject_or_folder(erasing, oss, clock, log_lines):
    store(oss, key("picture"))
    by_owner = said(erase(erasing, owner=MINE))
    assert by_owner["deleted"] == 1 and said(erase(erasing, sub=OWNER))["erasure"] == by_owner["erasure"]
    lines = log_lines()
    assert {(line["owner"], line["state"], line.get("caller")) for line in lines} == {(MINE, "running", None)}
    assert said(erase(erasing, sub=OWNER, caller="wechat:gone"))["erasure"] != by_owner["erasure"]
    assert OWNER not in json.dumps([lines, oss.records()])


def test_without_the_setting_nothing_is_open_granted_or_read(house_of, oss):
    house = house_of()
    assert erase(house).outcome == (404, "not_found")
    assert house.form("picture") and oss.asked == []
    policies = house.settings.session_policies
    assert not [policy for policy in policies.values() if "Versions" in policy or "erasures" in policy]
    more = house_of(ERASE="true").settings.session_policies
    home = house.settings.home
    assert all(name in more[home.session(DELETIONS)] for name in ("ListObjectVersions", "AbortMultipart"))
    assert "held/.erasures/" in more[home.session(OBJECTS)]


# --- when it is done ---


def test_an_erasure_is_done_after_a_pass_that_began_when_no_form_was_out(erasing, oss, clock):
    form = erasing.form("picture")
    first = said(erase(erasing))
    assert first["state"] == "running" and "record" not in first
    # A form that was out is used, and its upload ends late.
    assert oss.post(form["formData"], "bytes") == 200
    clock.tick(minutes=64, seconds=59)
    assert said(erase(erasing))["state"] == "running" and ours(oss)
    clock.tick(seconds=1)
    assert said(erase(erasing))["state"] == "running" and not ours(oss)
    clock.tick(minutes=2)
    assert said(erase(erasing))["state"] == "done"


def test_a_copy_that_ends_after_its_held_object_was_erased_is_erased_too(erasing, oss, clock):
    form = erasing.form("held")
    erase(erasing)
    oss.post(form["formData"], "bytes")
    receipt = erasing.ask("confirm", ticket=form["ticket"]).json["receipt"]
    clock.tick(minutes=64, seconds=59)
    oss.fail("CopyObject", LATE)
    assert erasing.commit(receipt).status == 503
    clock.tick(seconds=1)
    assert said(erase(erasing))["state"] == "running" and not ours(oss)
    clock.tick(seconds=60)
    oss.land()
    assert ours(oss) == {form["key"]}
    assert erased(erasing, clock)["deleted"] == 2 and not ours(oss)


@pytest.mark.parametrize(
    ("profiles", "minutes"),
    [
        (PROFILES + one_more("slow", "expires_in = 3000\n"), 110),
        # A profile that is not covered, and has none.
        (one_more("plain", "confirm = true\n").replace("{owner}/{id}", "{id}/{owner}"), 60),
    ],
    ids=["longest", "none"],
)
def test_an_erasure_waits_an_hour_more_than_the_longest_life_of_a_form(house_of, clock, profiles, minutes):
    house = house_of(profiles, ERASE="true")
    assert said(erase(house))["erasure"] == f"{MINE}-1"
    clock.tick(minutes=minutes - 1)
    assert said(erase(house))["state"] == "running"
    clock.tick(minutes=1)
    assert said(erase(house))["state"] == "done"


def test_the_record_says_what_was_erased_and_has_no_subject(erasing, oss, clock):
    store(oss, key("picture"))
    clock.tick(minutes=1)
    store(oss, key("tight"))
    clock.tick(minutes=1)
    answer = erased(erasing, clock)
    claims = claims_of(answer["record"])
    secret = erasing.settings.receipt_secrets[0]
    assert jwt.decode(answer["record"], secret, ["HS256"], audience="oss-direct-upload/erased") == claims
    times = [f"2026-11-24T14:0{minute}:00Z" for minute in range(3)] + [f"{clock():%Y-%m-%dT%H:%M:%SZ}"]
    expected = {"aud": "oss-direct-upload/erased", "owner": MINE, "erasure": answer["erasure"], "deleted": 2}
    expected |= {"aborted": 0, "profiles": COVERED, "notCovered": NOT_COVERED, "iat": claims["iat"]}
    assert claims == expected | dict(zip(("first", "last", "began", "done"), times, strict=True))
    # No route takes it for a token.
    assert erasing.ask("erase", answer["record"], sub=OWNER).outcome == FORBIDDEN
    assert erasing.ask("list", answer["record"], profile="picture").status == 401
    assert erasing.commit(answer["record"]).outcome == FORBIDDEN


def test_a_finished_erasure_is_answered_until_there_is_something_again(erasing, oss, clock):
    store(oss, key("picture"))
    done = erased(erasing, clock)
    clock.tick(days=1)
    assert said(erase(erasing)) == done
    store(oss, key("picture"))
    again = said(erase(erasing))
    assert again["state"] == "running" and again["erasure"] != done["erasure"] and again["deleted"] == 1
    assert claims_of(erased(erasing, clock)["record"])["erasure"] == again["erasure"]
    # The record of each stays.
    assert len([name for name in oss.records() if name.startswith(f"erasures/{MINE}/")]) == 2


def test_an_owner_without_anything_gets_a_record_too(erasing, oss, clock):
    claims = claims_of(erased(erasing, clock)["record"])
    assert (claims["deleted"], claims["first"], claims["last"]) == (0, None, None)


def test_profiles_that_change_begin_the_pass_again(erasing, house_of, oss, clock):
    erase(erasing)
    clock.tick(hours=2)
    slow(erasing)
    assert said(erase(erasing))["state"] == "running"
    # Its steps come first, and the last pass is beyond them.
    store(oss, f"aaa/{MINE}/{number(0)}")
    answer = erased(house_of(one_more("aaa") + PROFILES, ERASE="true"), clock)
    assert answer["profiles"] == ["aaa", *COVERED] and not ours(oss)
    # Where there is nothing more, the record says what was covered then.
    assert said(erase(house_of(ERASE="true")))["profiles"] == ["aaa", *COVERED]


def test_profiles_that_change_within_a_list_begin_the_lists_again(house_of):
    house = house_of(one_more("film", FILM) + PROFILES, ERASE="true")
    begin_parts(house)
    state = begin(house.call(), MINE)
    changed = state._replace(pass_began=house.now(), plan="another", after=Markers("~"))
    save(records_client(house.call()), changed)
    assert said(erase(house))["aborted"] == 1


# --- while it runs ---


def ask_for_a_form(house, subject=OWNER, instance=0, route="upload-params", **fields):
    return house.ask(
        route, house.session(subject), instance, **{"profile": "picture", "filename": "a.png", **fields}
    )


def test_while_it_runs_its_owner_gets_no_form_on_any_instance(house_of, oss, clock):
    house = house_of(PROFILES + one_more("film", FILM), ERASE="true")
    house.functions.append(house.new_instance())
    assert ask_for_a_form(house, instance=1).status == 200
    erase(house)
    for _ in range(2):
        assert ask_for_a_form(house).outcome == FORBIDDEN
        assert ask_for_a_form(house, THEM).status == 200
        parts = {"profile": "film", "contentType": "image/png", "size": 1}
        assert ask_for_a_form(house, route="multipart", **parts).outcome == FORBIDDEN
    # An instance reads who it is once a minute at most.
    assert ask_for_a_form(house, instance=1).status == 200
    clock.tick(seconds=59)
    assert ask_for_a_form(house, instance=1).status == 200
    clock.tick(seconds=1)
    assert ask_for_a_form(house, instance=1).outcome == FORBIDDEN
    assert oss.asked.count("ListObjectsV2") < 12
    erased(house, clock)
    clock.tick(minutes=1)
    assert [ask_for_a_form(house, instance=number).status for number in (0, 1)] == [200, 200]


def test_no_form_is_given_before_running_erasures_are_known(erasing, oss):
    oss.fail("ListObjectsV2", DENIED)
    assert ask_for_a_form(erasing).outcome == (502, "oss_rejected")
    assert ask_for_a_form(erasing).status == 200


def test_a_form_does_not_wait_long_for_running_erasures(erasing, oss, monkeypatch):
    erasing.hangs(oss, monkeypatch)
    assert ask_for_a_form(erasing).outcome == (503, "oss_unavailable")
    assert erasing.monotonic() <= 3


def test_an_odd_mark_stops_no_form(erasing, oss, log_lines):
    store(oss, f"{RUNNING}{MINE}", f"{RUNNING}x", f"{RUNNING}{MINE}-a b", f"{RUNNING}{THEIRS}-1")
    assert ask_for_a_form(erasing).status == 200
    assert ask_for_a_form(erasing, THEM).outcome == FORBIDDEN
    assert log_lines()[-1]["reason"]


# --- in which bucket its state is ---

THERE = one_more("there", ELSEWHERE)


def marks(*buckets):
    return [sum(name.startswith(RUNNING) for name in bucket.objects) for bucket in buckets]


def two_buckets(house_of, profiles):
    house = house_of(profiles, ERASE="true")
    return house, house.add_bucket("other-bucket", "cn-hangzhou")


@pytest.mark.parametrize("names", ["ab", "ba"])
def test_without_a_profile_in_the_deployment_s_bucket_the_first_by_name_has_the_state(house_of, names):
    text = "".join(one_more(name, f'bucket = "{name}-bucket"\nregion = "cn-hangzhou"\n') for name in names)
    house = house_of(text, ERASE="true")
    buckets = [house.add_bucket(f"{name}-bucket", "cn-hangzhou") for name in "ab"]
    begin(house.call(), MINE)
    assert marks(*buckets) == [1, 0]


def test_the_deployment_s_bucket_has_the_state_beside_what_has_no_number(house_of, oss):
    away = one_more("away", 'bucket = "a-bucket"\nregion = "cn-hangzhou"\n')
    house = house_of(PROFILES + away, ERASE="true")
    store(oss, f"held/.erasures/{MINE}/odd")
    begin(house.call(), MINE)
    assert marks(oss, house.add_bucket("a-bucket", "cn-hangzhou")) == [1, 0]


def test_of_two_roles_of_a_bucket_the_first_by_name_has_the_state(house_of):
    roles = [f"acs:ram::1234567890123456:role/{name}" for name in "abc"]
    more = "".join(one_more(role[-1], f'role = "{role}"\n') for role in roles)
    house = house_of(more, ERASE="true")
    assert [each.role_arn for each in places(house.call())] == roles[:1]


def test_an_erasure_ends_in_the_bucket_where_it_began(house_of, oss, clock):
    earlier, other = two_buckets(house_of, THERE)
    begin(earlier.call(), MINE)
    house, again = two_buckets(house_of, PROFILES + THERE)
    again.objects, again.stored_at = other.objects, other.stored_at
    store(oss, key("picture"))
    assert marks(oss, again) == [0, 1]
    assert ask_for_a_form(house).outcome == FORBIDDEN
    assert ask_for_a_form(house, THEM).status == 200
    clock.tick(minutes=1)
    assert ask_for_a_form(house).outcome == FORBIDDEN
    tick_until_done(house, clock)
    assert not ours(oss) and house.due() == [] and marks(oss, again) == [0, 0]
    assert not [name for name in oss.objects if "erasures" in name]
    # Nobody begins one there any more, so nobody looks for it again.
    assert ask_for_a_form(house).status == 200
    again.asked.clear()
    clock.tick(minutes=2)
    assert ask_for_a_form(house).status == 200
    assert again.asked == []


def test_a_bucket_that_was_never_granted_for_erasures_has_none(house_of):
    house, other = two_buckets(house_of, PROFILES + THERE)
    other.fail("ListObjectsV2", DENIED)
    assert ask_for_a_form(house).status == 200
    house, other = two_buckets(house_of, PROFILES + THERE)
    other.fail("ListObjectsV2", UNHEARD, UNHEARD)
    assert ask_for_a_form(house).outcome == (503, "oss_unavailable")


# --- interrupted, and by two at once ---


def world_with_data(house_of, oss, versioning="Enabled"):
    house = house_of(PROFILES + one_more("film", FILM), ERASE="true")
    oss.versioning, oss.longest_page = versioning, 2
    store(oss, *(key("picture", count) for count in range(3)), key("picture", owner=THEIRS))
    oss._delete(key("picture"))
    begin_parts(house)
    return house


CALLS = (
    *("ListObjectVersions", "ListMultipartUploads", "DeleteMultipleObjects", "AbortMultipartUpload"),
    *("PutObject", "GetObject", "ListObjectsV2", "DeleteObject"),
)


@pytest.mark.not_for_coverage
@pytest.mark.parametrize("fault", [UNHEARD, LOST, BROKEN_AFTER, MALFORMED])
@pytest.mark.parametrize("call", CALLS)
def test_an_erasure_that_is_cut_off_at_any_call_goes_on(house_of, oss, clock, call, fault):
    """By the timer alone, as nobody may ask again."""
    house = world_with_data(house_of, oss)
    for nth in range(1, 5):
        oss.fail(call, *[""] * (nth - 1), fault, fault)
        erase(house)
        tick_until_done(house, clock)
        oss.faults.clear()
    erased(house, clock)
    house.tick()
    assert is_over(oss)


def test_an_erasure_waits_while_the_setting_is_off(house_of, oss, clock, log_lines):
    store(oss, key("picture"))
    begin(house_of(ERASE="true").call(), MINE)
    house_of().tick()
    assert log_lines()[-1]["status"] == 200 and "ERASE" in log_lines()[-1]["reason"]
    assert ours(oss)
    house_of(ERASE="true").tick()
    assert not ours(oss)


def test_a_tick_without_time_for_a_page_leaves_an_erasure_to_the_next(erasing, house_of, oss):
    store(oss, key("picture"))
    erasing.monotonic = lambda: 0.0
    call = erasing.call()
    assert not advance(call, begin(call, MINE), lambda: LEAST_SECONDS).leased
    records = records_client(call)
    (record,) = list_due(records, call.now)
    with call.within(LEAST_SECONDS):
        assert continue_erasure(call, records, record) is False
    assert continue_erasure(house_of().call(), records, record) is False
    assert ours(oss)


def test_each_folder_is_listed_once_and_a_page_of_nothing_needs_no_record(house_of, oss):
    house = world_with_data(house_of, oss)
    store(oss, key("tight"))
    oss.longest_page = 1000
    oss.asked.clear()
    assert said(erase(house))["state"] == "running"
    assert [oss.asked.count(f"List{what}") for what in ("ObjectVersions", "MultipartUploads")] == [10, 10]
    assert oss.asked.count("PutObject") == 8


def test_a_pass_that_began_while_a_form_was_out_is_not_the_last(erasing, oss, clock):
    slow(erasing, 2)
    assert said(erase(erasing))["state"] == "running"
    store(oss, key("picture"))
    erasing.monotonic = lambda: 0.0
    clock.tick(hours=2)
    erase(erasing)
    assert not ours(oss)


PICTURES = [key("picture", count) for count in range(70)]


@pytest.mark.parametrize(
    ("how", "retained", "stored", "calls", "deleted"),
    [
        ({"versioning": "Enabled"}, 1, [PICTURES[0], *[PICTURES[1]] * 30], 9, 30),
        ({"refuses_whole": True}, 1, PICTURES[:30], 30, 29),
        ({}, 60, [*PICTURES, key("held")], 9, 11),
    ],
    ids=["versions of one key", "one by one", "more retained than one call can try"],
)
def test_slow_deletions_stop_in_time_skip_none_and_count_once(
    erasing, oss, how, retained, stored, calls, deleted
):
    vars(oss).update(how, retained={*PICTURES[:retained]})
    store(oss, *stored)
    slow(erasing)
    for _ in range(calls):
        answer = said(erase(erasing))
    assert (answer["deleted"], answer["blocked"]) == (deleted, retained)


def test_slow_aborts_stop_in_time_and_go_on(house_of, oss):
    house = house_of(PROFILES + one_more("film", FILM), ERASE="true")
    for _ in range(30):
        begin_parts(house)
    slow(house)
    some = [said(erase(house))["aborted"] for _ in range(9)]
    house.monotonic = lambda: 0.0
    assert any(0 < number < 30 for number in some)
    assert said(erase(house))["aborted"] == 30 and not oss.uploads


def test_a_call_stops_before_its_time_is_over_and_the_next_goes_on(erasing, oss, clock):
    oss.longest_page = 1
    store(oss, *(key("picture", count) for count in range(40)))
    slow(erasing, 16)
    answers = [said(erase(erasing))["deleted"]]
    # The last page of 20 seconds begins while more than three are left.
    assert 17 < erasing.monotonic() < 18
    answers.append(said(erase(erasing))["deleted"])
    assert 0 < answers[0] < answers[1] <= 40
    erasing.monotonic = lambda: 0.0
    assert erased(erasing, clock)["deleted"] == 40


# With versions OSS lets both of them write a record.
VERSIONING = pytest.mark.parametrize("versioning", ["", "Enabled"])


def test_a_call_beside_the_worker_of_an_erasure_deletes_nothing(house_of, oss, clock):
    house = world_with_data(house_of, oss)
    house.functions.append(house.new_instance())
    asked, answers = [], []

    def meanwhile():
        before = len(oss.asked)
        answers.append(said(erase(house))["state"])
        house.tick()
        asked.extend(oss.asked[before:])

    # During its first page, and a later one.
    oss.between = {"ListObjectVersions": meanwhile, "AbortMultipartUpload": meanwhile}
    assert said(erase(house, instance=1))["state"] == "running"
    assert answers == ["running"] * 2
    assert not {"DeleteMultipleObjects", "ListObjectVersions", "ListMultipartUploads"} & {*asked}
    assert not ours(oss)


def test_a_worker_stops_where_another_takes_the_lease_first(house_of, oss):
    house = world_with_data(house_of, oss, versioning="")
    state = begin(house.call(), MINE)
    records = records_client(house.call())
    oss.between["PutObject"] = lambda: save(records, state._replace(leased=house.now(), deleted=7))
    answer = said(erase(house))
    assert (answer["deleted"], "blocked" in answer) == (7, False) and ours(oss)


def test_a_worker_that_died_keeps_an_erasure_for_a_minute(house_of, oss, clock):
    house = world_with_data(house_of, oss)
    state = begin(house.call(), MINE)
    save(records_client(house.call()), state._replace(leased=house.now()))
    for seconds, is_kept in ((0, True), (59, True), (1, False)):
        clock.tick(seconds=seconds)
        assert said(erase(house))["state"] == "running"
        assert bool(ours(oss)) is is_kept


def test_the_mark_of_an_erasure_that_never_began_is_taken_away(house_of, oss, clock):
    house = world_with_data(house_of, oss)
    oss.fail("PutObject", "", "", UNHEARD)
    with pytest.raises(OssUnavailable):
        begin(house.call(), MINE, "push-1")
    # The clock of another instance may be behind.
    clock.tick(seconds=-1)
    begin(house.call(), MINE, "push-2")
    clock.tick(seconds=1)
    assert marks(oss) == [2]
    house.tick()
    assert [name for name in oss.objects if name.startswith(RUNNING)] == [f"{RUNNING}{MINE}-push-2"]


def test_a_tick_begins_an_erasure_that_was_cut_off(erasing, oss, clock):
    for erasure in ("push-1", "push-2"):
        store(oss, key("picture"))
        oss.fail("PutObject", "", "", UNHEARD)
        with pytest.raises(OssUnavailable):
            begin(erasing.call(), MINE, erasure)
        tick_until_done(erasing, clock)
        assert not ours(oss) and latest(records_client(erasing.call()), MINE).erasure == erasure


@VERSIONING
def test_two_that_begin_at_once_begin_one_erasure(house_of, oss, clock, versioning):
    house = world_with_data(house_of, oss, versioning)
    oss.between["PutObject"] = lambda: begin(house.call(), MINE, "push-2")
    begin(house.call(), MINE, "push-1")
    # With versions a tick takes away the mark of the one that lost.
    assert marks(oss) == [len(house.due("erase"))] == [2 if versioning else 1]
    tick_until_done(house, clock)
    assert is_over(oss)


def test_a_due_record_that_was_left_begins_no_second_erasure(erasing, oss, clock):
    erased(erasing, clock)
    due = {name: stored for name, stored in oss.objects.items() if name.startswith("held/.due/")}
    assert due
    clock.tick(days=1)
    store(oss, key("picture"))
    erasing.tick()
    assert key("picture") in oss.objects and not set(due) & set(oss.objects)


@pytest.mark.parametrize(
    "fields",
    [{}, {"owner": 7}, {"owner": "public"}, {"owner": f"{MINE}/"}, {"owner": MINE, "at": "soon"}],
    ids=str,
)
def test_an_odd_due_record_erases_nothing(erasing, oss, fields):
    body = json.dumps({"at": "2026-11-24T14:00:00Z", **fields}).encode()
    oss.store("held/.due/202611241400/erase--1", body, content_type="application/json")
    kept = {key("picture"), key("picture", owner="public")}
    store(oss, *kept)
    erasing.tick()
    assert left(oss) == kept


TIMES = ("began", "due", "rests_until", "done")


@pytest.mark.parametrize(
    "changes",
    [
        *({name: odd} for name in ("base", "found", "deleted", "step") for odd in (None, "1", -1, 1.5, True)),
        *({name: odd} for name in TIMES for odd in (7, "soon", "2026-11-24")),
        *({name: odd} for name in ("erasure", "plan") for odd in (None, 7)),
        *({"after": odd} for odd in (None, ["a", 7], ["a", "b", "c"])),
        *({"profiles": odd} for odd in (None, [7])),
        None,
    ],
    ids=str,
)
def test_an_invalid_state_is_refused(erasing, oss, changes, log_lines):
    store(oss, key("picture"))
    begin(erasing.call(), MINE)
    name = f"held/.erasures/{MINE}/000000001"
    fields = {**json.loads(oss.objects[name].body), **(changes or {})}
    body = "[]" if changes is None else json.dumps(fields)
    oss.store(name, body.encode(), content_type="application/json")
    assert erase(erasing).outcome == (503, "oss_unavailable")
    assert log_lines()[-1]["reason"].startswith(name)
    assert key("picture") in oss.objects


def test_a_listed_key_outside_the_prefix_is_refused(erasing, oss, monkeypatch):
    store(oss, key("picture", owner=THEIRS))
    serve = oss._list_object_versions

    def serve_another(request, body, size):
        request.query["prefix"] = f"pictures/{THEIRS}/"
        return serve(request, body, size)

    monkeypatch.setattr(oss, "_list_object_versions", serve_another)
    assert erase(erasing).outcome == (503, "oss_unavailable")
    assert key("picture", owner=THEIRS) in oss.objects


def test_a_missing_right_is_named(erasing, oss):
    store(oss, key("picture"))
    for _ in range(2):
        oss.fail("DeleteMultipleObjects", DENIED)
        oss.fail("DeleteObject", DENIED)
        assert erase(erasing).outcome == (502, "oss_rejected")
    for call in ("ListObjectVersions", "ListMultipartUploads"):
        oss.fail(call, DENIED)
        assert erase(erasing).outcome == (502, "oss_rejected")
    oss.fail("DeleteMultipleObjects", BROKEN, BROKEN)
    store(oss, key("picture"))
    assert erase(erasing).outcome == (503, "oss_unavailable")


def test_calls_count_as_forms_of_backends_do(house_of):
    house = house_of(ERASE="true", CALLER_RATE="2/min")
    assert erase(house).status == 200
    assert house.ask("delete", house.backend(), keys=[key("picture")]).status == 200
    assert erase(house).status == 429
