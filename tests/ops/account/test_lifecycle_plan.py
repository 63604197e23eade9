"""The rules that remove what nobody finished: ours beside those of others, none doubled, none dropped."""

from xml.etree import ElementTree

import pytest

from ops.account.bucket import DesiredBucket, FoundBucket, PartedFolder
from ops.account.bucket_plan import bucket_steps
from tests.ops.account.stubs import PROFILES, bucket_info, run
from tests.ops.words import in_english
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VIDEOS = PartedFolder("videos/", 1)
AUDIO = PartedFolder("audio/", 3)
THEIRS = "<Rule><ID>theirs</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><New><X>1</X></New></Rule>"


def rule(prefix, days=7, identity="theirs", status="Enabled", more=""):
    return (
        f"<Rule><ID>{identity}</ID><Prefix>{prefix}</Prefix><Status>{status}</Status>{more}"
        f"<AbortMultipartUpload><Days>{days}</Days></AbortMultipartUpload></Rule>"
    )


def plan(*rules, folders=(VIDEOS,), create=False):
    """What ends which uploads afterwards, in days by prefix, and what the operator is told."""
    desired = DesiredBucket("b", "cn-hongkong", create=create, parted_folders=tuple(folders))
    document = f"<LifecycleConfiguration>{''.join(rules)}</LifecycleConfiguration>" if rules else ""
    steps, notes = bucket_steps(desired, FoundBucket("oss-cn-hongkong", "private", "", True, document))
    if not steps:
        return None, in_english(notes)
    (step,) = steps
    assert step.action == "PutBucketLifecycle"
    root = ElementTree.fromstring(step.parameters["body"])
    identities = [one.findtext("ID") for one in root]
    assert len(set(identities)) == len(identities), "OSS refuses two rules of one ID"
    days = {
        one.findtext("Prefix", ""): int(one.findtext("AbortMultipartUpload/Days", "0"))
        for one in root
        if one.find("AbortMultipartUpload") is not None and one.findtext("Status") == "Enabled"
    }
    return days, in_english([step.why, *notes])


def test_a_folder_of_parts_gets_a_rule_even_where_the_bucket_is_only_used():
    days, (told,) = plan()
    assert days == {"videos/": 1}
    assert "videos/" in told


def test_a_bucket_without_parts_gets_none_unless_it_is_made():
    assert plan(folders=()) == (None, [])
    assert plan(folders=(), create=True)[0] == {"": 7}


@pytest.mark.parametrize(
    ("folders", "create", "days"),
    [
        ((VIDEOS, AUDIO), True, {"": 7}),
        ((VIDEOS, AUDIO), False, {"audio/": 3, "videos/": 1}),
        ((VIDEOS, PartedFolder("videos/long/", 5)), False, {"videos/": 5}),
        ((PartedFolder("videos/", 5), PartedFolder("videos/short/", 1)), False, {"videos/": 5}),
    ],
    ids=["new bucket", "one rule each", "longer inside", "shorter inside"],
)
def test_each_folder_outside_the_others_has_a_rule_of_the_longest_time(folders, create, days):
    assert plan(folders=folders, create=create)[0] == days


def test_rules_of_others_stay_whole():
    assert plan(THEIRS)[0] == {"videos/": 1}
    desired = DesiredBucket("b", "cn-hongkong", parted_folders=(VIDEOS,))
    document = f"<LifecycleConfiguration>{THEIRS}</LifecycleConfiguration>"
    ((step,), _) = bucket_steps(desired, FoundBucket("oss-cn-hongkong", "private", "", True, document))
    assert THEIRS in step.parameters["body"]


DATED = (
    "<Rule><ID>theirs</ID><Prefix/><Status>Enabled</Status><AbortMultipartUpload>"
    "<CreatedBeforeDate>2026-01-01T00:00:00.000Z</CreatedBeforeDate></AbortMultipartUpload></Rule>"
)


@pytest.mark.parametrize("theirs", [rule(""), rule("v"), rule("videos/"), DATED])
def test_a_rule_that_ends_them_already_is_not_doubled(theirs):
    assert plan(theirs) == (None, [])


@cases("covering")
def test_an_unrelated_rule_does_not_count_for_parts(covering):
    assert plan(covering)[0]["videos/"] == 1


def test_the_written_rule_needs_no_change_next_time():
    desired = DesiredBucket("b", "cn-hongkong", parted_folders=(VIDEOS, AUDIO))
    found = FoundBucket("oss-cn-hongkong", "private", "", True)
    ((step,), _) = bucket_steps(desired, found)
    again = FoundBucket("oss-cn-hongkong", "private", "", True, step.parameters["body"])
    assert bucket_steps(desired, again) == ([], [])


def test_a_foreign_rule_below_the_folder_is_reported():
    days, (told,) = plan(rule("videos/tmp/"))
    assert days is None
    assert "videos/tmp/" in told


def test_a_foreign_rule_that_is_too_short_is_reported_and_left():
    days, (told,) = plan(rule("", days=1), folders=(AUDIO,))
    assert days is None
    assert all(name in told for name in ("theirs", "audio/", "parts_within"))
    assert plan(rule("", days=3), folders=(AUDIO,)) == (None, [])
    assert "parts_within" in plan(rule("", days=1, identity=""), folders=(AUDIO,))[1][0]


def test_a_rule_of_ours_that_has_become_too_quick_is_changed():
    ours = rule("audio/", days=1, identity="oss-direct-upload-abort-stale-multipart-12345678")
    assert plan(ours, THEIRS, folders=(AUDIO,))[0] == {"audio/": 3}


def test_a_rule_of_ours_that_was_disabled_is_switched_on_again():
    ((step,), _) = bucket_steps(
        DesiredBucket("b", "cn-hongkong", parted_folders=(VIDEOS,)),
        FoundBucket("oss-cn-hongkong", "private", "", True),
    )
    disabled = step.parameters["body"].replace("Enabled", "Disabled")
    found = FoundBucket("oss-cn-hongkong", "private", "", True, disabled)
    ((step,), _) = bucket_steps(DesiredBucket("b", "cn-hongkong", parted_folders=(VIDEOS,)), found)
    root = ElementTree.fromstring(step.parameters["body"])
    assert [one.findtext("Status") for one in root] == ["Enabled"]


def test_a_rule_for_some_keys_only_is_reported():
    days, told = plan(rule("tmp/"), create=True, folders=())
    assert (days, len(told)) == (None, 1)


PARTED = """
[video]
key = "视频/{owner}/{id}{ext}"
max_size = "200MiB"
content_types = ["video/mp4"]
parts = true
parts_within = 86401
"""


def test_setup_shows_the_rule_in_its_plan_and_writes_it(cloud, capsys, tmp_path):
    profiles = tmp_path / "parted.toml"
    profiles.write_text(PROFILES + PARTED, "utf-8")
    cloud.oss.info = bucket_info()
    cloud.oss.documents["lifecycle"] = f"<LifecycleConfiguration>{THEIRS}</LifecycleConfiguration>".encode()
    options = ("--yes", "--lang", "en", "--profiles", str(profiles), "--h5-origin", "https://m.example.com")
    assert run(cloud, *options) == 0
    written = cloud.oss.documents["lifecycle"].decode()
    assert THEIRS in written
    # A second of the second day is one day more.
    assert "<Prefix>视频/</Prefix>" in written and "<Days>2</Days>" in written
    cors = ElementTree.fromstring(cloud.oss.documents["cors"])
    assert [method.text for method in cors[0].findall("AllowedMethod")] == ["POST", "PUT"]
    cloud.oss.calls.clear()
    assert run(cloud, *options) == 0
    assert cloud.oss.changes() == []


def test_a_cors_rule_with_post_only_gets_put_for_parts():
    document = (
        "<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>POST</AllowedMethod>"
        "</CORSRule></CORSConfiguration>"
    )
    found = FoundBucket("oss-cn-hongkong", "private", "", True, "", document)
    desired = DesiredBucket("b", "cn-hongkong", h5_origins=("https://m.example.com",))
    assert bucket_steps(desired, found) == ([], [])
    desired = DesiredBucket(
        "b", "cn-hongkong", h5_origins=("https://m.example.com",), parted_folders=(VIDEOS,)
    )
    assert [step.action for step in bucket_steps(desired, found)[0]] == [
        "PutBucketLifecycle",
        "PutBucketCors",
    ]
