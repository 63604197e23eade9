"""The rules that remove unfinished parts and what nobody published: beside those of others, none doubled."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from function.holding import records
from ops.account.bucket import DesiredBucket, FoundBucket
from ops.account.bucket_plan import bucket_steps
from tests.ops.account.stubs import PROFILES, bucket_info, folder, run
from tests.ops.words import in_english
from tests.support.cases import profile_toml

ABORT, EXPIRE = "AbortMultipartUpload", "Expiration"
ABORTS, EXPIRES = "oss-direct-upload-abort-stale-multipart", "oss-direct-upload-expire-held"
VIDEOS, AUDIO = folder("videos/", 1), folder("audio/", 3)
POSTS = folder("held/posts/", 3, held=True)
TAG = "<Tag><Key>a</Key><Value>b</Value></Tag>"
SPARED = "<Filter><Not><Prefix>held/</Prefix></Not></Filter>"
THEIRS = "<Rule><ID>theirs</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><New><X>1</X></New></Rule>"
RECORDS = "accepted attempts checks clean cleaned copied decided due fetched labels review verdicts".split()


def rule(prefix, days=7, identity="theirs", status="Enabled", more="", action=EXPIRE):
    return (
        f"<Rule><ID>{identity}</ID><Prefix>{prefix}</Prefix><Status>{status}</Status>{more}"
        f"<{action}><Days>{days}</Days></{action}></Rule>"
    )


def plan(*rules, profiles=(), **more):
    """The document that is written, if any, and what the operator is told."""
    desired = DesiredBucket("b", "cn-hongkong", profiles=profiles, **more)
    found = "".join(rules)
    document = (
        found if found.startswith("<Life") else f"<LifecycleConfiguration>{found}</LifecycleConfiguration>"
    )
    found = FoundBucket("oss-cn-hongkong", "private", "", True, document if rules else "")
    steps, notes = bucket_steps(desired, found)
    if not steps:
        return "", in_english(notes)
    (step,) = steps
    assert step.action == "PutBucketLifecycle"
    identities = [one.findtext("ID") for one in ElementTree.fromstring(step.parameters["body"])]
    assert len(set(identities)) == len(identities), "OSS refuses two rules of one ID"
    return step.parameters["body"], in_english([step.why, *notes])


def days(document, action=EXPIRE):
    """After how many days what goes, by prefix."""
    return {
        one.findtext("Prefix", ""): int(one.findtext(f"{action}/Days", "0"))
        for one in ElementTree.fromstring(document or "<none/>")
        if one.find(action) is not None and one.findtext("Status") == "Enabled"
    }


def ended(*rules, parted=(VIDEOS,), create=False):
    """What ends which uploads in parts afterwards, and what the operator is told."""
    document, told = plan(*rules, profiles=parted, create=create)
    return days(document, ABORT), told


def held(*rules, folders=(POSTS,), has_receipts=True, **more):
    """The same, beside a profile that holds nothing back."""
    return plan(*rules, profiles=(*folders, folder("other/", 0, receipts=has_receipts)), **more)


def expected(folders):
    """
    What ``setup`` writes: never a rule on the whole of ``held/``, none on the evidence of rejections.

    Args:
        folders: the time limit of each hold; its rule comes a day after.
    """
    longest = max(folders.values())
    found = {name: limit + 1 for name, limit in folders.items()}
    found |= {f"held/.{kind}/": longest + 8 for kind in RECORDS}
    return found | {f"held/.{kind}/": 8 for kind in ("doctor", "prove")}


EXPECTED = expected({"held/posts/": 3})


@pytest.mark.parametrize(
    ("parted", "create", "found"),
    [
        ((), False, {}),
        ((), True, {"": 7}),
        ((VIDEOS,), False, {"videos/": 1}),
        ((VIDEOS, AUDIO), True, {"": 7}),
        ((VIDEOS, AUDIO), False, {"audio/": 3, "videos/": 1}),
        ((VIDEOS, folder("videos/long/", 5)), False, {"videos/": 5}),
        ((folder("videos/", 5), folder("videos/short/", 1)), False, {"videos/": 5}),
    ],
    ids=["no parts", "new bucket", "parts", "new for parts", "one each", "longer inside", "shorter inside"],
)
def test_each_folder_of_parts_outside_the_others_has_a_rule_of_the_longest_time(parted, create, found):
    assert ended(parted=parted, create=create)[0] == found


@pytest.mark.parametrize("prefix", ["", "v", "videos/"])
def test_a_rule_that_ends_uploads_in_parts_already_is_not_doubled(prefix):
    assert ended(rule(prefix, action=ABORT)) == ({}, [])


@pytest.mark.parametrize("theirs", [
    *({"prefix": "other/"}, {"prefix": "", "status": "Disabled"}, {"prefix": "", "action": EXPIRE}),
])  # fmt: skip
def test_a_rule_of_somebody_else_that_is_unrelated_does_not_count_for_parts(theirs):
    assert ended(rule(**{"action": ABORT, **theirs}))[0]["videos/"] == 1


DATED = rule("", action=ABORT).replace("<Days>7</Days>", "<CreatedBeforeDate>2026-01-01</CreatedBeforeDate>")


@pytest.mark.parametrize("theirs", [
    rule("audio/tmp/", action=ABORT), rule("", 1, action=ABORT), rule("", more=TAG, action=ABORT), DATED,
], ids=["inside", "too soon", "of a tag", "before a date"])  # fmt: skip
def test_a_foreign_rule_on_parts_that_falls_short_is_reported_and_left(theirs):
    found, (told,) = ended(theirs, parted=(AUDIO,))
    assert found == {} and all(name in told for name in ("theirs", "audio/", "3 days", "parts_within"))


def test_beside_foreign_rules_on_parts_a_bucket_gets_none_on_every_key():
    assert ended(rule("tmp/", action=ABORT), parted=()) == ({}, [])
    found, (told,) = ended(rule("tmp/", action=ABORT), create=True, parted=())
    assert found == {} and "multipart" in told
    assert ended(rule("tmp/", action=ABORT), create=True)[0]["videos/"] == 1
    assert ended(rule("", 3, action=ABORT), parted=(AUDIO,), create=True) == ({}, [])


def test_a_rule_of_ours_that_ends_parts_too_soon_or_is_disabled_is_put_right():
    ours = rule("audio/", 1, f"{ABORTS}-12345678", action=ABORT)
    assert ended(ours, THEIRS, parted=(AUDIO,))[0] == {"audio/": 3}
    document = plan(profiles=(VIDEOS,))[0]
    assert plan(document.replace("Enabled", "Disabled"), profiles=(VIDEOS,))[0] == document
    assert ended(document, parted=(VIDEOS, AUDIO), create=True)[0] == {"": 7}
    assert ended(plan(create=True)[0]) == ({}, [])


def test_held_objects_expire_by_folder_and_records_after_all_of_them():
    document, told = held()
    assert days(document) == EXPECTED
    assert len(told) == 1 and POSTS.stored_folder in told[0]
    nested = [folder(f"held/{name}/", days, held=True) for name, days in (("a", 2), ("a/b", 5), ("c", 1))]
    assert days(held(folders=nested)[0]) == expected({"held/a/": 5, "held/c/": 1})


def test_every_kind_of_record_has_a_rule_but_rejections():
    source = Path(records.__file__).read_text("utf-8")
    assert {*re.findall(r'_name[(,] ?"(\w+)"', source)} == {*RECORDS, "rejected"} - {"clean", "due"}


@pytest.mark.parametrize("has_receipts", [True, False])
def test_without_hold_only_what_is_due_has_a_rule_and_an_existing_one_stays(has_receipts):
    due = {"held/.due/": 8} if has_receipts else {}
    before = rule(POSTS.stored_folder, identity=f"{EXPIRES}-1")
    for rules, stays in (((), {}), ((before,), {POSTS.stored_folder: 7})):
        document, told = held(*rules, folders=(), has_receipts=has_receipts)
        assert (days(document), len(told)) == ({**stays, **due} if due else {}, len(due))
    # OSS would take no second rule for what is due.
    assert held(rule(""), folders=(), has_receipts=has_receipts) == ("", [])
    # Of a profile that is gone the rules end what is there.
    assert set(days(held(held()[0], folders=())[0] or held()[0])) == set(EXPECTED)


def test_the_plan_counts_as_theirs_the_rules_of_others_alone():
    (told,) = held(rule("held/", identity=EXPIRES), THEIRS)[1]
    assert re.findall(r"\((\d+) ", told) == ["1"]


def test_a_foreign_rule_that_would_end_the_evidence_of_erasures_is_reported():
    (told,) = held(rule(""), folders=(), erases=True)[1]
    assert "theirs" in told and "held/.erasures/" in told
    tmp = rule("tmp/")
    assert held(tmp, folders=(), erases=True)[1] == held(tmp, folders=())[1]


@pytest.mark.parametrize("changes", [
    *({"days": 2}, {"days": 9}, {"status": "Disabled"}, {"action": ABORT}),
], ids=["too soon", "too late", "disabled", "of another action"])  # fmt: skip
def test_a_rule_of_ours_that_is_not_right_any_more_is_put_right(changes):
    document, told = held(rule(identity=EXPIRES, **{"prefix": "held/", "days": 3, **changes}))
    assert days(document) == EXPECTED
    assert document.count(EXPIRES) == len(EXPECTED) and len(told) == 1


@pytest.mark.parametrize(("prefix", "shown"), [("", "every key"), ("h", "h"), ("held/", "held/")])
@pytest.mark.parametrize("limit", [1, 3, 365])
def test_a_conflicting_foreign_rule_is_reported_and_left(prefix, shown, limit):
    document, (told,) = held(rule(prefix, limit))
    assert document == "" and "theirs" in told and shown in told


@pytest.mark.parametrize(
    "name",
    ["held/.rejected/", "held/.erasures/", *(f"held/{each}/" for each in ("posts", "posts/x", ".decided"))],
)
def test_a_foreign_rule_on_one_folder_is_reported_and_the_others_are_written(name):
    document, told = held(rule(name, 365))
    free = {folder: limit for folder, limit in EXPECTED.items() if not name.startswith(folder)}
    assert days(document) == {**free, name: 365}
    assert "theirs" in told[1]


@pytest.mark.parametrize(
    "theirs", [rule("heldx/"), rule("", status="Disabled"), rule("", more=SPARED), THEIRS]
)
def test_an_unrelated_rule_does_not_count_for_held_objects(theirs):
    assert days(held(theirs)[0])[POSTS.stored_folder] == 4


def test_setup_shows_the_rules_in_its_plan_and_writes_them_with_the_rights_of_both_sessions(cloud, capsys):
    more = profile_toml("video", "视频", content_types=["video/mp4"], parts=True, parts_within=86401)
    more += profile_toml("post", "posts", confirm=True, hold=["commit"], hold_days=2)
    more += profile_toml(
        "clip", "clips", content_types=["video/mp4"], parts=True, hold=["commit"], hold_days=5
    )
    cloud.profiles.write_text(PROFILES + more, "utf-8")
    cloud.oss.info = bucket_info()
    options = ("--yes", "--lang", "en", "--h5-origin", "https://m.example.com")
    assert run(cloud, *options) == 0
    output, written = capsys.readouterr().out, cloud.oss.documents["lifecycle"].decode()
    assert "held/clips/ after 1 days" in output
    assert days(written) == expected({"held/posts/": 2, "held/clips/": 5})
    # A second of the second day is one day more.
    assert days(written, ABORT) == {"held/clips/": 1, "视频/": 2}
    assert '"acs:oss:*:*:my-bucket/held/.*"' in output
    assert '"acs:oss:*:*:my-bucket/held/posts/*"' in output and "oss:DeleteObject" in output
    methods = ElementTree.fromstring(cloud.oss.documents["cors"])[0].findall("AllowedMethod")
    assert [method.text for method in methods] == ["POST", "PUT"]
    for action in (ABORT, EXPIRE):
        prefixes = days(written, action)
        # OSS takes no two rules of one action that overlap.
        assert not [one for one in prefixes for other in prefixes if one != other and one.startswith(other)]
    cloud.oss.calls.clear()
    assert run(cloud, *options) == 0
    assert cloud.oss.changes() == []


def test_nothing_is_written_where_a_rule_of_others_leaves_ours_no_room():
    ours = rule("held/posts/", 4, f"{EXPIRES}-1", "Disabled")
    document, told = held(rule("", 9), ours)
    assert document == ""
    assert "removed: ;" not in told
