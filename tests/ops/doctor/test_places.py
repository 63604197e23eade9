"""A deployment of two buckets: each is examined, and whatever is wrong says where it is to be mended."""

from pathlib import Path

import pytest

from function.app import load_settings
from local.buckets import ARCHIVE, HOME
from ops.doctor.findings import State
from ops.doctor.places import each_place
from tests.ops.doctor.conftest import REFUSED

HERE, THERE = "local-bucket", "local-archive"
BELOW_THERE = "local-archive, cn-shanghai: [contract]"


@pytest.fixture
def two(here):
    """Examine the deployment of two buckets."""
    return lambda **changes: here.examine(environ=here.both, **changes)


def profiles_of(here):
    return Path(here.both["PROFILES_FILE"]).read_text("utf-8")


@pytest.fixture
def contract(here, profiles):
    """The options of [contract] in other words, as changes of the environment."""

    def write(*changes):
        text = profiles_of(here)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        return profiles(text)

    return write


def below(findings, bucket):
    return [one for one in findings if one.where and one.where.en.startswith(f"{bucket}, ")]


def test_each_bucket_is_examined_and_common_findings_take_one_line(two, here):
    files = {path for path in here.folder.rglob("*") if path.is_file()}
    findings = two()
    assert {path for path in here.folder.rglob("*") if path.is_file()} == files
    assert {one.state for one in findings if one.check.en != "Costs"} == {State.GOOD}
    assert [one.check.en for one in findings if one.where is None] == [
        "Settings", *["Costs"] * 3, "Clock", "Bucket", "WeChat login", "Caller's keys", "AssumeRole",
        "Callback, Message push, Timer", "Deployed function",
    ]  # fmt: skip
    assert [one.check.en for one in below(findings, THERE)] == [
        "Upload [contract]", "A changed key", "Confirm [contract], Read [contract]", "Large files [contract]",
        "Removal",
    ]  # fmt: skip
    assert {one.where.en for one in below(findings, THERE)} == {BELOW_THERE}
    assert len(findings) == 11 + len(below(findings, HERE)) + len(below(findings, THERE))
    [bucket], [role] = findings.of("Bucket"), findings.of("AssumeRole")
    for place, store in ((HOME, here.cloud.oss), (ARCHIVE, here.cloud.archive)):
        assert f"{place.bucket} answers at {store.origin}" in bucket.said.en
        assert f"{place.role_arn}, keys for" in role.said.en


def test_an_unusable_role_is_reported_below_its_bucket_only(two, contract):
    findings = two(**contract((ARCHIVE.role_arn, "acs:ram::1000000000000001:role/nobody")))
    (finding,) = findings.of("AssumeRole", State.UNSURE)
    assert finding.where.en == BELOW_THERE
    assert "role in profiles.toml" in finding.remedy.en
    assert all("profiles.toml" not in one.remedy.en for one in below(findings, HERE) if one.remedy)
    [other] = findings.of("AssumeRole", State.GOOD)
    assert other.where.en.startswith(f"{HERE}, ")
    assert findings.of("Upload [contract]", State.BAD)


def test_a_host_of_a_profile_that_does_not_answer_names_its_options(two, here, contract):
    findings = two(**contract((here.cloud.archive.origin, REFUSED)))
    for check in ("Clock", "Bucket", "Upload [contract]"):
        [finding] = findings.of(check, State.BAD)
        assert finding.where.en == BELOW_THERE
        assert "For [contract] look first at" in finding.remedy.en
    for check in ("Clock", "Bucket"):
        [good] = findings.of(check, State.GOOD)
        assert good.where.en.startswith(f"{HERE}, ")


def test_a_bucket_without_a_profile_is_not_examined(two, here, profiles):
    alone = profiles(f"[contract]{profiles_of(here).partition('[contract]')[2]}")
    nobody = "acs:ram::1000000000000001:role/nobody"
    changes = {"OSS_BUCKET": "not-there", "OSS_HOST": REFUSED, "STS_ROLE_ARN": nobody}
    findings = two(**alone, **changes)
    assert findings.of("", State.BAD) == []
    assert {one.where for one in findings} == {None}
    assert findings.of("Upload [contract]", State.GOOD)


def test_the_deployment_s_own_bucket_comes_first(here, contract):
    before, mark, after = profiles_of(here).partition("[contract]")
    changes = contract((before + mark + after, mark + after + before))
    settings = load_settings({**here.both, **changes})
    assert next(iter(settings.profiles)) == "contract"
    assert [one.bucket for one in each_place(settings)] == [HERE, THERE]
