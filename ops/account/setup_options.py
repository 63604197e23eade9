"""
What ``setup`` is asked for: its options, the environment and the profiles become what should be.
"""

import argparse
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from function.contradictions import policies_too_long
from function.grants import role_policies, session_policies
from function.kinds import BUCKET, ORIGIN, REGION, ROLE_ARN, Kind, matching
from function.phrase import Phrase
from function.places import Place
from function.profile import Profile
from function.profiles import read_profiles
from function.settings import DEFAULT_PROFILES_FILE
from ops.account.bucket import PartedFolder, WantedBucket
from ops.account.log_options import add_log_arguments, read_logs
from ops.account.log_plan import WantedLogs
from ops.account.ram_documents import role_arn
from ops.account.role_plan import WantedRoles
from ops.terminal.language import Failure, Text, why_unreadable
from ops.terminal.phrases import in_both

DEFAULT_FUNCTION_ROLE = "oss-direct-upload-function"
DEFAULT_UPLOAD_ROLE = "oss-direct-upload"
UNKNOWN_ACCOUNT = "<account-id>"
# What each may be is said where the option is read.
UNSAID = Phrase("")
ROLE_NAME = matching(r"[A-Za-z0-9.-]{1,64}", UNSAID)
ACCOUNT_ID = matching(r"\d{5,20}", UNSAID)
TRUSTED_ARN = matching(r"acs:ram::\d+:(user|role)/\S+", UNSAID)

MISSING = Text("; it is missing.", "；还没有给出。")
DIGITS = Text("the digits of an account id", "账号 ID 的数字")
ROLE_LETTERS = Text("1 to 64 letters, digits, points and hyphens", " 1 到 64 个字母、数字、点和连字符")
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
class Wanted:
    roles: WantedRoles
    bucket: WantedBucket
    logs: WantedLogs | None = None


def add_setup_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    def option(name: str, help_: Text, **more: Any) -> None:
        parser.add_argument(name, help=help_.say(language), **more)

    option("--bucket", Text("bucket name (default: OSS_BUCKET)", "桶名（默认：OSS_BUCKET）"))
    option(
        "--region",
        Text(
            "region of the bucket, such as cn-hangzhou (default: OSS_REGION)",
            "桶所在的地域，如 cn-hangzhou（默认：OSS_REGION）",
        ),
    )
    option(
        "--account",
        Text(
            "account id; only a dry run needs it, to print whole ARNs",
            "账号 ID；只有演练需要它，用来打印完整的 ARN",
        ),
    )
    option("--function-role", _default(f"FUNCTION_ROLE_NAME or {DEFAULT_FUNCTION_ROLE}"))
    option(
        "--upload-role",
        Text(
            f"default: the role in STS_ROLE_ARN or {DEFAULT_UPLOAD_ROLE}",
            f"默认：STS_ROLE_ARN 里的角色，或 {DEFAULT_UPLOAD_ROLE}",
        ),
    )
    option("--profiles", _default("PROFILES_FILE or profiles.toml"), type=Path)
    option(
        "--session-seconds",
        Text(
            "longest session of the upload role (default: STS_SESSION_SECONDS)",
            "上传角色的会话最长多少秒（默认：STS_SESSION_SECONDS）",
        ),
        type=int,
    )
    option(
        "--also-trust",
        Text(
            "RAM user or role that may take the upload role as well, to try forms from your own machine",
            "也可扮演上传角色的 RAM 用户或角色，用来在自己的机器上试表单",
        ),
        action="append",
        default=[],
        metavar="ARN",
    )
    add_log_arguments(option)
    option(
        "--bucket-create",
        Text(
            "make the bucket when it is missing, and have it end stale multipart uploads",
            "桶不存在时创建，并让它清理未完成的分片上传",
        ),
        action="store_true",
    )
    option(
        "--allow-public-read",
        Text(
            'switch Block Public Access off where a profile has acl = "public-read"; asks before it does',
            '有用途写着 acl = "public-read" 时关闭“阻止公共访问”；执行前会询问',
        ),
        action="store_true",
    )
    option(
        "--h5-origin",
        Text(
            "page that posts forms from a browser, such as https://m.example.com; gets a CORS rule",
            "从浏览器提交表单的网页，如 https://m.example.com；会为它加一条 CORS 规则",
        ),
        action="append",
        default=[],
        metavar="ORIGIN",
    )
    option(
        "--dry-run",
        Text("print every call and document, send nothing", "打印每个调用与文档，不发送任何请求"),
        action="store_true",
    )
    option("--yes", Text("make the changes without asking", "不经询问直接更改"), action="store_true")


def _default(names: str) -> Text:
    return Text(f"default: {names}", f"默认：{names.replace(' or ', ' 或 ')}")


def read_wanted(args: argparse.Namespace, environ: Mapping[str, str]) -> Wanted:
    """
    What should be, from the options, the environment and the profiles.

    Raises:
        Failure: with a sentence for each option that is wrong.
    """
    problems: list[Text] = []

    def checked(value: str, kind: Kind, complaint: Text) -> None:
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
    logs, filed = read_logs(args, region, problems)
    home = Place(bucket, region, "", "", "", role_arn(account, upload_role))
    policy, profiles = _read_profiles(args, environ, home, problems)
    seconds = _session_seconds(args, environ, problems)
    if problems:
        raise Failure(*problems)
    return Wanted(
        WantedRoles(
            account=account,
            function_role=function_role,
            upload_role=upload_role,
            upload_policy=policy,
            session_seconds=seconds,
            also_trusted=tuple(args.also_trust),
            logs=filed,
        ),
        WantedBucket(
            bucket,
            region,
            args.bucket_create,
            tuple(args.h5_origin),
            tuple(profile.name for profile in profiles if profile.acl == "public-read"),
            args.allow_public_read,
            tuple(profile.name for profile in profiles if profile.takes_filename),
            tuple(_parted_folder(profile) for profile in profiles if profile.parts),
            max((profile.hold_days for profile in profiles if profile.is_held), default=0),
        ),
        logs,
    )


def _parted_folder(profile: Profile) -> PartedFolder:
    # The least that OSS counts is a day, from the beginning of an upload.
    return PartedFolder(profile.stored_folder, -(-profile.parts_within // timedelta(days=1)))


def _must_be(names: str, allowed: Text) -> Text:
    return Text(f"{names} must be {allowed.en}", f"{names.replace(' or ', ' 或 ')} 应为{allowed.zh}")


def _split_arn(arn: str) -> tuple[str, str]:
    """Account and name of a role; two empty texts for what is no role's ARN."""
    try:
        ROLE_ARN.read(arn)
    except ValueError:
        return "", ""
    account, _, name = arn.removeprefix("acs:ram::").partition(":role/")
    return account, name


def _read_profiles(
    args: argparse.Namespace, environ: Mapping[str, str], home: Place, problems: list[Text]
) -> tuple[dict[str, Any], list[Profile]]:
    """The policy that serves every session of all profiles, and the profiles."""
    path = args.profiles or DEFAULT_PROFILES_FILE.parent / (
        environ.get("PROFILES_FILE") or DEFAULT_PROFILES_FILE
    )
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = why_unreadable(error)
        problems.append(
            Text(f"--profiles {path} cannot be read: {why.en}.", f"无法读取 --profiles {path}：{why.zh}。")
        )
        return {}, []
    profiles, found = read_profiles(text, default_signature="v4", home=home)
    too_long = policies_too_long(session_policies(profiles.values()))
    problems += [in_both(problem.sentence) for problem in [*found, *too_long]]
    policy = role_policies(profiles.values()).get(home.role_arn, "{}")
    return json.loads(policy), list(profiles.values())


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
