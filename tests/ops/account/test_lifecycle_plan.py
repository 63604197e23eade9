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
    days, told = plan()
    assert days == {"videos/": 1}
    assert told == [
        "parts of uploads that nobody finished are removed: videos/ after 1 days (0 rules of yours stay)"
    ]


def test_a_bucket_without_parts_gets_none_unless_it_is_made():
    assert plan(folders=()) == (None, [])
    assert plan(folders=(), create=True)[0] == {"": 7}


def test_a_bucket_that_is_made_has_one_rule_for_every_key():
    days, told = plan(create=True, folders=(VIDEOS, AUDIO))
    assert days == {"": 7}
    assert told[0].endswith("any key after 7 days (0 rules of yours stay)")


def test_rules_of_others_stay_whole():
    days, told = plan(THEIRS)
    assert days == {"videos/": 1}
    assert "1 rules of yours stay" in told[0]
    desired = DesiredBucket("b", "cn-hongkong", parted_folders=(VIDEOS,))
    document = f"<LifecycleConfiguration>{THEIRS}</LifecycleConfiguration>"
    ((step,), _) = bucket_steps(desired, FoundBucket("oss-cn-hongkong", "private", "", True, document))
    assert THEIRS in step.parameters["body"]


@pytest.mark.parametrize("prefix", ["", "v", "videos/"])
def test_a_rule_that_ends_them_already_is_not_doubled(prefix):
    assert plan(rule(prefix)) == (None, [])


@cases("covering")
def test_a_rule_about_something_else_is_no_rule_for_it(covering):
    assert plan(covering)[0]["videos/"] == 1


def test_what_we_wrote_is_right_the_next_time():
    desired = DesiredBucket("b", "cn-hongkong", parted_folders=(VIDEOS, AUDIO))
    found = FoundBucket("oss-cn-hongkong", "private", "", True)
    ((step,), _) = bucket_steps(desired, found)
    again = FoundBucket("oss-cn-hongkong", "private", "", True, step.parameters["body"])
    assert bucket_steps(desired, again) == ([], [])


def test_each_folder_has_a_rule_of_its_own():
    assert plan(folders=(VIDEOS, AUDIO))[0] == {"audio/": 3, "videos/": 1}


def test_a_folder_inside_another_needs_no_rule_and_the_longer_time_counts():
    days, _ = plan(folders=(VIDEOS, PartedFolder("videos/long/", 5)))
    assert days == {"videos/": 5}
    days, _ = plan(folders=(PartedFolder("videos/", 5), PartedFolder("videos/short/", 1)))
    assert days == {"videos/": 5}


def test_a_rule_of_others_below_the_folder_is_told_because_oss_takes_none_beside_it():
    days, told = plan(rule("videos/tmp/"))
    assert days is None
    assert told == [
        "Nothing removes unfinished parts below videos/: OSS takes no rule for it beside yours on"
        " videos/tmp/. Let yours cover videos/."
    ]


def test_a_rule_of_others_that_is_too_quick_is_told_and_left():
    days, told = plan(rule("", days=1), folders=(AUDIO,))
    assert days is None
    assert told == [
        "Lifecycle rule theirs of yours ends uploads in parts below audio/ after 1 days, and parts_within"
        " lets them take 3: make it longer."
    ]
    assert plan(rule("", days=3), folders=(AUDIO,)) == (None, [])
    assert "rule without an ID of yours" in plan(rule("", days=1, identity=""), folders=(AUDIO,))[1][0]


def test_a_rule_of_ours_that_has_become_too_quick_is_changed():
    ours = rule("audio/", days=1, identity="oss-direct-upload-abort-stale-multipart-12345678")
    days, told = plan(ours, THEIRS, folders=(AUDIO,))
    assert days == {"audio/": 3}
    assert "audio/ after 3 days" in told[0]


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


def test_a_rule_with_a_date_in_place_of_days_is_another_matter():
    dated = (
        "<Rule><ID>theirs</ID><Prefix/><Status>Enabled</Status><AbortMultipartUpload>"
        "<CreatedBeforeDate>2026-01-01T00:00:00.000Z</CreatedBeforeDate></AbortMultipartUpload></Rule>"
    )
    assert plan(dated) == (None, [])


def test_some_keys_only_is_told_where_the_bucket_is_to_be_kept_clean():
    _, told = plan(rule("tmp/"), create=True, folders=())
    assert told == ["A lifecycle rule of yours ends stale multipart uploads of some keys only."]


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
    output = capsys.readouterr().out
    # A second of the second day is one day more.
    assert "removed: 视频/ after 2 days (1 rules of yours stay)" in output
    assert "may send files by POST and PUT" in output
    written = cloud.oss.documents["lifecycle"].decode()
    assert THEIRS in written
    assert "<Prefix>视频/</Prefix>" in written
    cors = ElementTree.fromstring(cloud.oss.documents["cors"])
    assert [method.text for method in cors[0].findall("AllowedMethod")] == ["POST", "PUT"]
    cloud.oss.calls.clear()
    assert run(cloud, *options) == 0
    assert cloud.oss.changes() == []


def test_a_page_that_may_only_post_is_let_put_parts_as_well():
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
