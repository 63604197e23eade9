"""A deployment of two buckets: each is examined, and whatever is wrong says where it is to be mended."""

from pathlib import Path

from local.buckets import ARCHIVE, HOME
from ops.doctor.findings import State

HERE, THERE = "local-bucket", "local-archive"
BELOW_THERE = "local-archive, cn-shanghai: [contract]"


def below(findings, bucket):
    return [one for one in findings if one.where and one.where.en.startswith(f"{bucket}, ")]


def test_each_bucket_is_examined_as_if_it_were_the_only_one(here):
    files = {path for path in here.folder.rglob("*") if path.is_file()}
    findings = here.examine(environ=here.both)
    assert {path for path in here.folder.rglob("*") if path.is_file()} == files
    assert {one.state for one in findings if one.check.en != "Costs"} == {State.GOOD}
    assert [one.check.en for one in findings if one.where is None] == [
        "Settings", *["Costs"] * 3, "WeChat login", "Caller's keys", "Callback", "Message push",
        "Deployed function",
    ]  # fmt: skip
    assert [one.check.en for one in below(findings, THERE)] == [
        "Clock", "Bucket", "AssumeRole", "Upload [contract]", "A changed key of [contract]",
        "Confirm [contract]", "Read [contract]", "Large files [contract]", "Removal", "Timer",
    ]  # fmt: skip
    assert {one.where.en for one in below(findings, THERE)} == {BELOW_THERE}
    for place, store in ((HOME, here.cloud.oss), (ARCHIVE, here.cloud.archive)):
        _, bucket, role, *_ = below(findings, place.bucket)
        assert f"{place.bucket} answers at {store.origin}" in bucket.said.en
        assert f"{place.role_arn}, keys for" in role.said.en


def test_an_unusable_role_is_reported_below_its_bucket_only(here, profiles):
    text = Path(here.both["PROFILES_FILE"]).read_text("utf-8")
    own = profiles(text.replace(ARCHIVE.role_arn, "acs:ram::1000000000000001:role/nobody"))
    findings = here.examine(environ=here.both, **own)
    (finding,) = findings.of("AssumeRole", State.UNSURE)
    assert finding.where.en == BELOW_THERE
    assert "role in profiles.toml" in finding.remedy.en
    assert all("profiles.toml" not in one.remedy.en for one in below(findings, HERE) if one.remedy)
    [other] = findings.of("AssumeRole", State.GOOD)
    assert other.where.en.startswith(f"{HERE}, ")
    assert findings.of("Upload [contract]", State.BAD)
