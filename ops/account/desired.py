"""Desired state of ``setup``: from its options, the settings and the profiles."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass

from function.config import settings
from function.config.profile import BucketLocation
from function.config.types import BUCKET, ORIGIN, REGION, ROLE_ARN, Type, matching, seconds
from function.messages import Message
from ops.account.bucket import DesiredBucket
from ops.account.metric_alarms import DesiredAlarms, read_alarms
from ops.account.profile_needs import (
    buckets_of,
    moderation_of,
    policies_of,
    policies_too_long,
    profiles_in,
    roles_that_cannot_be,
)
from ops.account.ram_documents import ROLE_NAME_PATTERN, account_and_name, of_the_function, role_arn
from ops.account.role_plan import WantedRole, function_role, upload_role
from ops.terminal.language import Failure, Text
from ops.terminal.messages import in_both

UNKNOWN_ACCOUNT = "<account-id>"
DEFAULT_FUNCTION_ROLE = "oss-direct-upload-function"
DEFAULT_UPLOAD_ROLE = DEFAULT_LOG_STORE = "oss-direct-upload"
SESSION_SECONDS = seconds(900, 43200)

MUST_BE = Text("{name} must be {allowed}; {value!r} is not.", "{name} 应为{allowed}，而不是 {value!r}。")
MISSING = Text("{name} must be {allowed}; it is missing.", "{name} 应为{allowed}；还没有给出。")
REGION_ID = Text("a region id such as {example}", "地域 ID，如 {example}")
# What each name may be, where no setting of the function is the same.
ROLE_NAME = (
    matching(ROLE_NAME_PATTERN, Message("")),
    Text("1 to 64 letters, digits and hyphens", " 1 到 64 个字母、数字和连字符"),
)
LOG_NAME = (
    matching(r"[a-z0-9_-]{2,63}", Message("")),
    Text("2 to 63 of a-z, 0-9, - and _", " 2 到 63 个 a-z、0-9、-、_"),
)
ACCOUNT_ID = matching(r"\d{5,20}", Message("")), Text("the digits of an account id", "账号 ID 的数字")
PAGE_ORIGIN = (
    ORIGIN,
    Text(
        "an origin such as https://m.example.com, without a path", "来源，如 https://m.example.com，不带路径"
    ),
)
TRUSTED_ARN = (
    matching(r"acs:ram::\d+:(user|role)/\S+", Message("")),
    Text("acs:ram::<account>:user/<name> or …:role/<name>", " acs:ram::<账号>:user/<名字> 或 …:role/<名字>"),
)
WHOSE_ROLES = Text(
    "--account is missing: profiles name {names}, and only it tells which of them are yours to make.",
    "缺少 --account：用途里写了 {names}，有了它才知道哪些角色由你创建。",
)


@dataclass(frozen=True)
class DesiredState:
    """
    Args:
        account: that of the function.
        roles: the function's first, those of other accounts too.
        buckets: ``OSS_BUCKET`` first, those of other accounts too.
        env: lines for ``.env``.
    """

    account: str
    roles: tuple[WantedRole, ...]
    buckets: tuple[DesiredBucket, ...]
    env: Mapping[str, str]
    alarms: DesiredAlarms | None = None

    @property
    def accounts(self) -> list[str]:
        """Return whose roles and buckets these are, the function's own account first."""
        roles = [each.account for each in self.roles]
        return [*dict.fromkeys([*roles, *(each.account for each in self.buckets)])]

    def of(self, account: str) -> tuple[list[WantedRole], list[DesiredBucket]]:
        """Return the roles and the buckets that are an account's to make."""
        roles = [each for each in self.roles if each.account == account]
        return roles, [each for each in self.buckets if each.account == account]


def read_desired(args: argparse.Namespace, environ: Mapping[str, str]) -> DesiredState:
    """
    Read the desired state from the options, the settings and the profiles.

    Raises:
        Failure: with a sentence for each option or setting that is wrong.
    """
    problems: list[Text] = []

    def checked(name: str, value: str, kind: Type, allowed: Text) -> None:
        try:
            kind.read(kind.from_text(value))
        except ValueError:
            problems.append((MUST_BE if value else MISSING).filled(name=name, allowed=allowed, value=value))

    bucket, region = environ.get("OSS_BUCKET", ""), environ.get("OSS_REGION", "")
    checked("OSS_BUCKET", bucket, BUCKET, in_both(BUCKET.allowed))
    named = region.removeprefix("oss-") if region.startswith("oss-") else "cn-hangzhou"
    checked("OSS_REGION", region, REGION, REGION_ID.filled(example=named))
    account, upload_name = _split_arn(environ.get("STS_ROLE_ARN", ""))
    account, upload_name = args.account or account or UNKNOWN_ACCOUNT, upload_name or DEFAULT_UPLOAD_ROLE
    if account != UNKNOWN_ACCOUNT:
        checked("--account", account, *ACCOUNT_ID)
    function_name = environ.get("FUNCTION_ROLE_NAME") or DEFAULT_FUNCTION_ROLE
    checked("FUNCTION_ROLE_NAME", function_name, *ROLE_NAME)
    logs = environ.get("LOG_PROJECT", ""), environ.get("LOG_STORE") or DEFAULT_LOG_STORE
    if logs[0]:
        for name, value in zip(("LOG_PROJECT", "LOG_STORE"), logs, strict=True):
            checked(name, value, *LOG_NAME)
    for origin in args.h5_origin:
        checked("--h5-origin", origin, *PAGE_ORIGIN)
    for arn in args.also_trust:
        checked("--also-trust", arn, *TRUSTED_ARN)
    longest = environ.get("STS_SESSION_SECONDS") or "3600"
    checked("STS_SESSION_SECONDS", longest, SESSION_SECONDS, in_both(SESSION_SECONDS.allowed))
    alarms = read_alarms(args, environ, problems)
    home = BucketLocation(bucket, region, "", "", "", role_arn(account, upload_name))
    own = settings.DEFAULT_PROFILES_FILE
    file = own.parent / (environ.get("PROFILES_FILE") or own)
    needs = {"has_webhook": bool(environ.get("UPLOAD_WEBHOOK_URL")), "erases": environ.get("ERASE") == "true"}
    profiles = profiles_in(file, home, problems, **needs)
    policies = policies_of(profiles, home, **needs)
    problems += [*roles_that_cannot_be(policies, account, function_name), *policies_too_long(policies)]
    if args.dry_run and account == UNKNOWN_ACCOUNT and (others := [*policies.keys() - {home.role_arn}]):
        problems.append(WHOSE_ROLES.filled(names=", ".join(sorted(others))))
    if problems:
        raise Failure(*problems)
    asked = DesiredBucket(
        *(bucket, region, account),
        create=args.bucket_create,
        h5_origins=tuple(args.h5_origin),
        erases=needs["erases"],
    )
    may = of_the_function(account, policies, logs, moderation_of(profiles))
    trusted = [role_arn(account, function_name), *args.also_trust]
    uploads = (upload_role(arn, policy, trusted, int(longest)) for arn, policy in policies.items())
    env = {"OSS_BUCKET": bucket, "OSS_REGION": region, "STS_ROLE_ARN": home.role_arn}
    buckets = tuple(buckets_of(profiles, asked))
    roles = (function_role(account, function_name, may), *uploads)
    return DesiredState(account, roles, buckets, env, alarms)


def _split_arn(arn: str) -> tuple[str, str]:
    """Account and name of a role; two empty texts for what is no role's ARN."""
    try:
        ROLE_ARN.read(arn)
    except ValueError:
        return "", ""
    return account_and_name(arn)
