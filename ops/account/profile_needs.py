"""Needs of the profiles: roles with their policies, buckets with their rules."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from function.config import settings_validation
from function.config.profile import BucketLocation, Profile
from function.config.profiles import read_profiles
from function.moderation.aliyun import ACTIONS
from function.sts.session_policy import role_policies, session_policies
from ops.account.bucket import DesiredBucket
from ops.account.ram_documents import ROLE_NAME_PATTERN, Document, account_and_name, compact
from ops.deploy.profile_lines import NO_PROFILES, is_unmade, with_lines
from ops.terminal.language import Text, why_unreadable
from ops.terminal.messages import in_both

# Source: https://www.alibabacloud.com/help/en/resource-management/api-createpolicy
MAX_POLICY_CHARACTERS = 6144
ODD_NAME = Text(
    "STS_ROLE_ARN or role = {arn!r}: its name must be 1 to 64 letters, digits and hyphens.",
    "STS_ROLE_ARN 或 role = {arn!r}：角色名应为 1 到 64 个字母、数字和连字符。",
)
OWN_ROLE = Text(
    "STS_ROLE_ARN or role = {arn!r} is the function's own role (FUNCTION_ROLE_NAME): they must be two.",
    "STS_ROLE_ARN 或 role = {arn!r} 是函数自己的角色（FUNCTION_ROLE_NAME）：应为两个角色。",
)


def profiles_in(
    file: Path, home: BucketLocation, problems: list[Text], *, has_webhook: bool, erases: bool = False
) -> list[Profile]:
    """
    The profiles of a file; what is wrong with it goes to the problems.

    Args:
        home: the place of those that name none of their own.
        has_webhook: whether ``UPLOAD_WEBHOOK_URL`` is set.
        erases: whether ``ERASE`` is.
    """
    try:
        text = Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = why_unreadable(error)
        said = Text(f"{file} cannot be read: {why.en}.", f"无法读取 {file}：{why.zh}。")
        problems.append(NO_PROFILES if is_unmade(Path(file)) else said)
        return []
    profiles, found = read_profiles(text, default_signature="v4", home=home)
    policies = session_policies(profiles.values(), has_webhook=has_webhook, erases=erases)
    too_long = settings_validation.policies_too_long(policies)
    problems += with_lines([in_both(problem.sentence) for problem in [*found, *too_long]], Path(file))
    return list(profiles.values())


def policies_of(
    profiles: Iterable[Profile], home: BucketLocation, *, has_webhook: bool, erases: bool = False
) -> dict[str, Document]:
    """Return the policy of each role by ARN, ``STS_ROLE_ARN`` first if any profile uses it."""
    policies = role_policies([*profiles], has_webhook=has_webhook, erases=erases)
    arns = sorted(policies, key=lambda arn: arn != home.role_arn)
    return {arn: json.loads(policies[arn]) for arn in arns}


def moderation_of(profiles: Iterable[Profile]) -> tuple[str, ...]:
    """Return the actions of Content Moderation that the profiles need; the function's own role calls them."""
    checked = [profile for profile in profiles if profile.is_checked_by_aliyun]
    types = {kind.partition("/")[0] for profile in checked for kind in profile.content_types}
    # A picture is answered at once, anything else by a task with a result.
    submissions = [ACTIONS[main_type][0] for main_type in types & set(ACTIONS)]
    names = [f"{action}{ending}" for action in submissions for ending in ("", "Result")]
    names += ["ImageModeration"] if types - set(ACTIONS) else []
    return tuple(f"yundun-greenweb:{name}" for name in sorted(names))


def roles_that_cannot_be(policies: Iterable[str], account: str, function_role: str) -> Iterator[Text]:
    """A sentence for each upload role, by its ARN, that cannot be made in this account."""
    for arn in policies:
        theirs, name = account_and_name(arn)
        if theirs == account and not re.fullmatch(ROLE_NAME_PATTERN, name):
            yield ODD_NAME.filled(arn=arn)
        if (theirs, name) == (account, function_role):
            yield OWN_ROLE.filled(arn=arn)


def buckets_of(profiles: Iterable[Profile], home: DesiredBucket) -> Iterator[DesiredBucket]:
    """
    Each bucket with its profiles, of the account of a role that reaches it: of the first one's if it can be.

    Args:
        home: ``OSS_BUCKET``, which is there in any case and comes first, with what is asked for all alike.
    """
    by_name: dict[str, list[Profile]] = {home.name: []}
    for profile in profiles:
        by_name.setdefault(profile.location.bucket, []).append(profile)
    yield replace(home, profiles=tuple(by_name.pop(home.name)))
    for name, theirs in by_name.items():
        accounts = [account_and_name(profile.location.role_arn)[0] for profile in theirs]
        whose = home.account if home.account in accounts else accounts[0]
        place = replace(home, name=name, region=theirs[0].location.region, account=whose, is_named=True)
        yield replace(place, profiles=tuple(theirs))


def policies_too_long(policies: Mapping[str, Document]) -> Iterator[Text]:
    """A sentence for each role whose policy RAM would refuse."""
    for arn, policy in policies.items():
        if (count := len(compact(policy))) > MAX_POLICY_CHARACTERS:
            yield Text(
                f"Role {arn} needs a policy of {count} characters; RAM takes {MAX_POLICY_CHARACTERS}."
                " Give some of its profiles another role, or shorten their first folders.",
                f"角色 {arn} 的权限策略有 {count} 个字符，RAM 最多接受 {MAX_POLICY_CHARACTERS} 个。"
                "请让其中一些用途改用另一个角色，或缩短它们的第一级目录。",
            )
