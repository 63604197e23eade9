"""The rule that removes what nobody published: in one document with those of others, beside no like one."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from function.holding import records
from ops.account.bucket import DesiredBucket, FoundBucket, PartedFolder
from ops.account.bucket_plan import bucket_steps
from tests.ops.account.stubs import PROFILES, bucket_info, run
from tests.ops.words import in_english
from tests.support.cases import cases_beside, text_beside

cases = cases_beside(__file__)

OURS = "oss-direct-upload-expire-held"
SPARED = "<Filter><Not><Prefix>held/</Prefix></Not></Filter>"
SPARED_IN_PART = "<Filter><Not><Prefix>held/</Prefix><Tag><Key>a</Key><Value>b</Value></Tag></Not></Filter>"
THEIRS = "<Rule><ID>theirs</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><New><X>1</X></New></Rule>"


def rule(prefix, days=7, identity="theirs", status="Enabled", more="", action="Expiration"):
    return (
        f"<Rule><ID>{identity}</ID><Prefix>{prefix}</Prefix><Status>{status}</Status>{more}"
        f"<{action}><Days>{days}</Days></{action}></Rule>"
    )


FOLDER = "held/posts/"
OTHERS = (
    "accepted",
    "attempts",
    "checks",
    "cleaned",
    "copied",
    "decided",
    "fetched",
    "labels",
    "review",
    "verdicts",
)
WITH_THEM = ("clean", "due")
SHORT = ("doctor", "prove")


def expected(longest, folders):
    """
    What ``setup`` writes: never a rule on the whole of ``held/``, none on the evidence of rejections.

    Args:
        folders: the time limit of each hold; its rule comes a day after.
    """
    folders = {name: days + 1 for name, days in folders.items()}
    records = {f"held/.{kind}/": longest + 8 for kind in (*OTHERS, *WITH_THEM)}
    records |= {f"held/.{kind}/": 8 for kind in SHORT}
    return {**folders, **records}


def plan(*rules, days=3, folders=(), versioning="", has_due_records=True, keeps_erasures=False):
    """The document that is written, if any, and what the operator is told."""
    held = (PartedFolder(FOLDER, days),) if days else ()
    about = {"held_folders": held, "has_due_records": has_due_records, "keeps_erasures": keeps_erasures}
    desired = DesiredBucket("b", "cn-hongkong", parted_folders=tuple(folders), **about)
    document = f"<LifecycleConfiguration>{''.join(rules)}</LifecycleConfiguration>" if rules else ""
    steps, notes = bucket_steps(
        desired, FoundBucket("oss-cn-hongkong", "private", versioning, True, document)
    )
    if not steps:
        return "", in_english(notes)
    (step,) = steps
    assert step.action == "PutBucketLifecycle"
    return step.parameters["body"], in_english([step.why, *notes])


def expiring(document):
    """After how many days what goes, by prefix."""
    return {
        one.findtext("Prefix", ""): int(one.findtext("Expiration/Days", "0"))
        for one in ElementTree.fromstring(document)
        if one.find("Expiration") is not None and one.findtext("Status") == "Enabled"
    }


def test_held_objects_expire_by_folder_and_records_after_all_of_them():
    document, told = plan()
    assert expiring(document) == expected(3, {FOLDER: 3})
    assert len(told) == 1 and FOLDER in told[0]


def test_every_kind_of_record_has_a_rule_but_rejections():
    source = Path(records.__file__).read_text("utf-8")
    assert {*re.findall(r'_name[(,] ?"(\w+)"', source)} == {*OTHERS, "rejected"}


@pytest.mark.parametrize("has_due_records", [True, False])
def test_without_hold_only_what_is_due_has_a_rule_and_an_existing_one_stays(has_due_records):
    due = {"held/.due/": 8} if has_due_records else {}
    held_before, of_all = rule(FOLDER, identity=f"{OURS}-1"), rule("held/", identity=OURS)
    for before, expected_now in (("", {}), (held_before, {FOLDER: 7})):
        document, told = plan(*[before][: bool(before)], days=0, has_due_records=has_due_records)
        assert (expiring(document or "<none/>"), len(told)) == (
            {**expected_now, **due} if due else {},
            len(due),
        )
    # OSS would take no second rule for what is due.
    for whole in (of_all, rule("")):
        assert plan(whole, days=0, has_due_records=has_due_records) == ("", [])
    if due:
        again = (
            plan(days=0)[0].removeprefix("<LifecycleConfiguration>").removesuffix("</LifecycleConfiguration>")
        )
        assert plan(again, days=0) == ("", [])


def test_a_foreign_rule_that_would_end_the_evidence_of_erasures_is_reported():
    assert plan(rule(""), days=0)[1] == []
    (told,) = plan(rule(""), days=0, keeps_erasures=True)[1]
    assert "theirs" in told and "held/.erasures/" in told
    assert plan(rule("tmp/"), days=0, keeps_erasures=True)[1] == plan(rule("tmp/"), days=0)[1]


def test_a_single_rule_on_all_that_is_held_is_replaced_and_that_is_said():
    (plain,), (replaced,) = plan()[1], plan(rule("held/", identity=OURS))[1]
    assert replaced.endswith(plain.replace("0 rules", "1 rules")) and len(replaced) > len(plain)
    assert "held/.rejected/" in replaced[: -len(plain)]


def test_rules_of_others_stay_whole():
    document, told = plan(THEIRS, rule("uploads/"))
    assert expiring(document) == {**expected(3, {FOLDER: 3}), "uploads/": 7}
    assert THEIRS in document
    assert "2 rules" in told[0]


def test_rules_for_parts_and_held_objects_share_one_document_without_overlap():
    folders = (PartedFolder("held/videos/", 2), PartedFolder("videos/", 1))
    document, told = plan(folders=folders)
    assert len(told) == 1 and all(f"{folder} " in told[0] for folder in ("held/videos/", "videos/", FOLDER))
    for action in ("Expiration", "AbortMultipartUpload"):
        prefixes = [
            one.findtext("Prefix", "")
            for one in ElementTree.fromstring(document)
            if one.find(action) is not None
        ]
        overlapping = [
            (one, other) for one in prefixes for other in prefixes if one != other and one.startswith(other)
        ]
        assert prefixes and not overlapping
    held = (PartedFolder(FOLDER, 3),)
    desired = DesiredBucket("b", "cn-hongkong", parted_folders=folders, held_folders=held)
    again = FoundBucket("oss-cn-hongkong", "private", "", True, document)
    assert bucket_steps(desired, again) == ([], [])


@cases("found")
def test_a_rule_of_ours_that_is_not_right_any_more_is_put_right(found):
    document, told = plan(found)
    assert expiring(document) == expected(3, {FOLDER: 3})
    assert document.count(OURS) == len(expiring(document))
    assert len(told) == 1


def test_a_reformatted_rule_of_setup_needs_no_change():
    document, _ = plan()
    laid_out = document.replace("><", ">\n  <")
    assert plan(
        laid_out.removeprefix("<LifecycleConfiguration>").removesuffix("</LifecycleConfiguration>")
    ) == ("", [])


@pytest.mark.parametrize(("prefix", "shown"), [("", "every key"), ("h", "h"), ("held/", "held/")])
@pytest.mark.parametrize("days", [1, 3, 365])
def test_a_conflicting_foreign_rule_is_reported_and_left(prefix, shown, days):
    document, (told,) = plan(rule(prefix, days=days))
    assert document == ""
    assert "theirs" in told and shown in told


@pytest.mark.parametrize(
    "prefix", ["held/.rejected/", "held/.erasures/", "held/posts/", "held/posts/x/", "held/.decided/"]
)
def test_a_foreign_rule_on_one_folder_is_reported_and_the_others_are_written(prefix):
    document, told = plan(rule(prefix, days=365))
    free = {name: days for name, days in expected(3, {FOLDER: 3}).items() if not prefix.startswith(name)}
    assert expiring(document) == {**free, prefix: 365}
    assert "theirs" in told[1]


def test_a_folder_inside_another_shares_its_rule():
    held = (PartedFolder("held/a/", 2), PartedFolder("held/a/b/", 5), PartedFolder("held/c/", 1))
    found = FoundBucket("oss-cn-hongkong", "private", "", True, "")
    (step,), _ = bucket_steps(DesiredBucket("b", "cn-hongkong", held_folders=held), found)
    assert expiring(step.parameters["body"]) == expected(5, {"held/a/": 5, "held/c/": 1})


def test_an_equivalent_foreign_rule_is_left_without_a_note():
    document, told = plan(rule(FOLDER, days=4))
    assert (expiring(document), len(told)) == (expected(3, {FOLDER: 3}), 1)
    assert plan(rule("", days=3, more="<Tag><Key>a</Key><Value>b</Value></Tag>"))[1] != []
    assert plan(rule("", days=3, more="<Filter><Not><Prefix>tmp/</Prefix></Not></Filter>"))[1] != []
    assert plan(rule("", days=9, more=SPARED_IN_PART))[0] == ""
    assert "without an ID" in plan(rule("", identity=""))[1][0]


@pytest.mark.parametrize(
    "theirs", [rule("heldx/"), rule("", status="Disabled"), rule("", more=SPARED), THEIRS]
)
def test_an_unrelated_rule_does_not_count_for_held_objects(theirs):
    assert expiring(plan(theirs)[0])[FOLDER] == 4


@pytest.mark.parametrize("versioning", ["Enabled", "Suspended"])
def test_a_versioned_bucket_gets_a_note_against_hold(versioning):
    """There x-oss-forbid-overwrite is ignored, so the first decision would not be the only one."""
    _, told = plan(versioning=versioning)
    assert "hold" in told[2]
    assert len(plan(days=0, versioning=versioning, has_due_records=False)[1]) == len(told) - 2
    assert len(plan()[1]) == 1


HELD = text_beside(__file__)


def test_setup_shows_the_rule_in_its_plan_and_writes_it_with_the_rights_of_both_sessions(
    cloud, capsys, tmp_path
):
    profiles = tmp_path / "held.toml"
    profiles.write_text(PROFILES + HELD, "utf-8")
    cloud.oss.info = bucket_info()
    assert run(cloud, "--yes", "--lang", "en", "--profiles", str(profiles)) == 0
    output = capsys.readouterr().out
    assert "held/clips/ after 1 days" in output
    written = expiring(cloud.oss.documents["lifecycle"].decode())
    assert written == expected(5, {"held/posts/": 2, "held/clips/": 5})
    assert '"acs:oss:*:*:my-bucket/held/.*"' in output
    assert '"acs:oss:*:*:my-bucket/held/posts/*"' in output
    assert "oss:DeleteObject" in output
    cloud.oss.calls.clear()
    assert run(cloud, "--yes", "--lang", "en", "--profiles", str(profiles)) == 0
    assert cloud.oss.changes() == []
