"""What the profiles need of the account: roles and their policies, buckets and their rules."""

from dataclasses import replace

import pytest

from function.config.profile import BucketLocation
from function.config.profiles import read_profiles
from ops.account import profile_needs
from ops.account.bucket import DesiredBucket
from ops.account.profile_needs import buckets_of, moderation_of, policies_of, policies_too_long
from ops.account.ram_documents import role_arn
from tests.ops.account.stubs import ACCOUNT, PLACES, UPLOAD_ROLE
from tests.ops.words import in_english
from tests.support.cases import profile_toml

HOME = BucketLocation("my-bucket", "cn-hangzhou", "", "", "", role_arn(ACCOUNT, UPLOAD_ROLE))
ASKED = DesiredBucket("my-bucket", "cn-hangzhou", ACCOUNT, create=True)


def profiles_of(text):
    profiles, problems = read_profiles(text, default_signature="v4", home=HOME)
    assert problems == []
    return list(profiles.values())


@pytest.fixture
def profiles():
    return profiles_of(PLACES)


RIGHTS = {
    "image/png": ["ImageModeration"],
    "video/mp4": ["VideoModeration", "VideoModerationResult"],
    "audio/*": ["VoiceModeration", "VoiceModerationResult"],
}


@pytest.mark.parametrize(("kind", "actions"), RIGHTS.items())
def test_the_function_s_role_gets_the_rights_that_the_types_need(kind, actions):
    text = profile_toml("p", content_types=[kind], confirm=True, hold=["check"], check_by=["aliyun"])
    assert moderation_of(profiles_of(text)) == tuple(f"yundun-greenweb:{action}" for action in actions)


@pytest.mark.parametrize("erases", [False, True])
def test_records_of_erasures_may_be_in_any_bucket_of_a_profile(erases):
    text = profile_toml("a") + profile_toml("b", bucket="another")
    found = [*buckets_of(profiles_of(text), replace(ASKED, erases=erases))]
    assert [(one.has_due_records, one.keeps_erasures) for one in found] == [(erases, erases)] * 2
    text = text[text.index("[b]") :]
    home, _ = buckets_of(profiles_of(text), replace(ASKED, erases=erases))
    assert not (home.has_due_records or home.keeps_erasures)


def test_a_policy_too_long_for_ram_is_reported_with_its_role(monkeypatch, profiles):
    policies = policies_of(profiles, HOME, has_webhook=True)
    assert [*policies_too_long(policies)] == []
    # Each session of a role is held to STS's limit, and a role may have many of them: one for each bucket.
    text = "".join(
        profile_toml(f"p{number}", f"{'f' * 200}-{number}", "{id}", bucket=f"bucket-{number // 4}")
        for number in range(32)
    )
    (told,) = in_english(policies_too_long(policies_of(profiles_of(text), HOME, has_webhook=False)))
    assert HOME.role_arn in told and "6144" in told
    exactly = len(profile_needs.compact(policies[HOME.role_arn]))
    monkeypatch.setattr(profile_needs, "MAX_POLICY_CHARACTERS", exactly)
    assert HOME.role_arn not in str([*policies_too_long(policies)])
