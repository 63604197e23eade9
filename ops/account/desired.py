"""Desired state of ``setup``: from its options, the environment and the profiles."""

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass

from function.config import settings
from function.config.profile import BucketLocation
from function.config.types import BUCKET, ORIGIN, REGION, ROLE_ARN, Type, matching
from function.messages import Message
from ops.account.bucket import DesiredBucket
from ops.account.metric_alarms import DesiredAlarms, read_alarms
from ops.account.profile_needs import (
    buckets_of,
    elsewhere,
    in_account,
    moderation_of,
    policies_of,
    policies_too_long,
    profiles_in,
    roles_that_cannot_be,
)
from ops.account.ram_documents import ROLE_NAME_PATTERN, account_and_name, role_arn
from ops.account.role_plan import DesiredRoles
from ops.account.setup_options import DEFAULT_FUNCTION_ROLE, DEFAULT_UPLOAD_ROLE
from ops.terminal.language import Failure, Text
from ops.terminal.messages import in_both

UNKNOWN_ACCOUNT = "<account-id>"
# What each may be is said where the option is read.
UNSAID = Message("")
ROLE_NAME = matching(ROLE_NAME_PATTERN, UNSAID)
ACCOUNT_ID = matching(r"\d{5,20}", UNSAID)
LOG_PLACE = re.compile(r"([a-z0-9-]{3,63})/([a-z0-9_-]{2,63})")
TRUSTED_ARN = matching(r"acs:ram::\d+:(user|role)/\S+", UNSAID)

MISSING = Text("; it is missing.", "；还没有给出。")
DIGITS = Text("the digits of an account id", "账号 ID 的数字")
ROLE_LETTERS = Text("1 to 64 letters, digits and hyphens", " 1 到 64 个字母、数字和连字符")
PAGE_ORIGIN = Text(
    "an origin such as https://m.example.com, without a path", "来源，如 https://m.example.com，不带路径"
)
SOME_ARN = Text(
    "acs:ram::<account>:user/<name> or …:role/<name>", " acs:ram::<账号>:user/<名字> 或 …:role/<名字>"
)
TWO_ROLES = Text(
    "--function-role and --upload-role must be two roles: the one takes the other.",
    "--function-role 与 --upload-role 应为两个角色：前者扮演后者。",
)


@dataclass(frozen=True)
class DesiredState:
    """
    Args:
        buckets: ``OSS_BUCKET`` first; so are all that a role of this account reaches.
        buckets_elsewhere: those that only roles of another account reach, each with that account's id.
    """

    roles: DesiredRoles
    buckets: tuple[DesiredBucket, ...]
    buckets_elsewhere: tuple[tuple[str, DesiredBucket], ...] = ()
    alarms: DesiredAlarms | None = None

    @property
    def bucket(self) -> DesiredBucket:
        """``OSS_BUCKET``."""
        return self.buckets[0]


def read_desired(args: argparse.Namespace, environ: Mapping[str, str]) -> DesiredState:
    """
    Read the desired state from the options, the environment and the profiles.

    Raises:
        Failure: with a sentence for each option that is wrong.
    """
    problems: list[Text] = []

    def checked(value: str, kind: Type, complaint: Text) -> None:
        try:
            kind.read(value)
        except ValueError:
            rest = Text(f"; {value!r} is not.", f"，而不是 {value!r}。") if value else MISSING
            problems.append(Text(complaint.en + rest.en, complaint.zh + rest.zh))

    bucket = args.bucket or environ.get("OSS_BUCKET", "")
    checked(bucket, BUCKET, _must_be("--bucket or OSS_BUCKET", in_both(BUCKET.allowed)))
    region = args.region or environ.get("OSS_REGION", "")
    named = region.removeprefix("oss-") if region.startswith("oss-") else "cn-hangzhou"
    region_id = Text(f"a region id such as {named}", f"地域 ID，如 {named}")
    checked(region, REGION, _must_be("--region or OSS_REGION", region_id))
    given_arn = environ.get("STS_ROLE_ARN", "")
    account, upload_role = _split_arn(given_arn)
    account = args.account or account or UNKNOWN_ACCOUNT
    if account != UNKNOWN_ACCOUNT:
        checked(account, ACCOUNT_ID, _must_be("--account", DIGITS))
    function_role = args.function_role or environ.get("FUNCTION_ROLE_NAME") or DEFAULT_FUNCTION_ROLE
    upload_role = args.upload_role or upload_role or DEFAULT_UPLOAD_ROLE
    for option, name in (("--function-role", function_role), ("--upload-role", upload_role)):
        checked(name, ROLE_NAME, _must_be(option, ROLE_LETTERS))
    if function_role == upload_role:
        problems.append(TWO_ROLES)
    for origin in args.h5_origin:
        checked(origin, ORIGIN, _must_be("--h5-origin", PAGE_ORIGIN))
    for arn in args.also_trust:
        checked(arn, TRUSTED_ARN, _must_be("--also-trust", SOME_ARN))
    logs = _read_place(args.logs, problems)
    alarms = read_alarms(args, environ, problems)
    home = BucketLocation(bucket, region, "", "", "", role_arn(account, upload_role))
    own = settings.DEFAULT_PROFILES_FILE
    file = args.profiles or own.parent / (environ.get("PROFILES_FILE") or own)
    needs = {"has_webhook": bool(environ.get("UPLOAD_WEBHOOK_URL")), "erases": environ.get("ERASE") == "true"}
    profiles = profiles_in(file, home, problems, **needs)
    policies = policies_of(profiles, home, **needs)
    problems += [*roles_that_cannot_be(policies, home, function_role), *policies_too_long(policies)]
    seconds = _session_seconds(args, environ, problems)
    if problems:
        raise Failure(*problems)
    asked = DesiredBucket(
        bucket, region, args.bucket_create, tuple(args.h5_origin), allow_public_read=args.allow_public_read
    )
    reached = [*buckets_of(profiles, asked, account, erases=needs["erases"])]
    return DesiredState(
        DesiredRoles(
            account=account,
            function_role=function_role,
            upload_role=upload_role,
            upload_policies=in_account(policies, account),
            session_seconds=seconds,
            also_trusted=tuple(args.also_trust),
            logs=logs,
            elsewhere=elsewhere(policies, account),
            moderation=moderation_of(profiles),
        ),
        tuple(bucket for by, bucket in reached if by == account),
        tuple((by, bucket) for by, bucket in reached if by != account),
        alarms,
    )


def whose_roles_they_are(desired: DesiredState) -> None:
    """
    Nothing is sent, so the account is known only when it is told.

    Raises:
        Failure: a profile has a role of its own, and nothing tells whether it is in this account.
    """
    if desired.roles.account == UNKNOWN_ACCOUNT and desired.roles.elsewhere:
        names = ", ".join(desired.roles.elsewhere)
        raise Failure(
            Text(
                f"--account is missing: profiles name {names}, and only it tells which of them are yours to"
                " make.",
                f"缺少 --account：用途里写了 {names}，有了它才知道哪些角色由你创建。",
            )
        )


def _read_place(text: str | None, problems: list[Text]) -> tuple[str, str] | None:
    """Return project and logstore, if any."""
    if not text:
        return None
    if not (place := LOG_PLACE.fullmatch(text)):
        must_be = _must_be("--logs", Text("PROJECT/LOGSTORE", " PROJECT/LOGSTORE"))
        problems.append(Text(f"{must_be.en}; {text!r} is not.", f"{must_be.zh}，而不是 {text!r}。"))
        return None
    return place[1], place[2]


def _must_be(names: str, allowed: Text) -> Text:
    return Text(f"{names} must be {allowed.en}", f"{names.replace(' or ', ' 或 ')} 应为{allowed.zh}")


def _split_arn(arn: str) -> tuple[str, str]:
    """Account and name of a role; two empty texts for what is no role's ARN."""
    try:
        ROLE_ARN.read(arn)
    except ValueError:
        return "", ""
    return account_and_name(arn)


def _session_seconds(args: argparse.Namespace, environ: Mapping[str, str], problems: list[Text]) -> int:
    text = str(args.session_seconds or environ.get("STS_SESSION_SECONDS") or 3600)
    if not re.fullmatch(r"\d{1,6}", text) or not 900 <= int(text) <= 43200:
        problems.append(
            Text(
                f"--session-seconds or STS_SESSION_SECONDS must be 900 to 43200; {text!r} is not.",
                f"--session-seconds 或 STS_SESSION_SECONDS 应为 900 到 43200，而不是 {text!r}。",
            )
        )
        return 3600
    return int(text)
