"""
What ``setup`` is asked for: its options, the environment and the profiles become what should be.
"""

import argparse
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from function.errors import Misconfigured, Problem
from function.grants import MAX_POLICY_CHARACTERS, UPLOADS, session_policies
from function.kinds import BUCKET, ORIGIN, REGION, ROLE_ARN, Kind, matching
from function.profiles import Profile, read_profiles
from function.settings import DEFAULT_PROFILES_FILE
from ops.account.bucket import WantedBucket
from ops.account.role_plan import WantedRoles

DEFAULT_FUNCTION_ROLE = "oss-direct-upload-function"
DEFAULT_UPLOAD_ROLE = "oss-direct-upload"
UNKNOWN_ACCOUNT = "<account-id>"
ROLE_NAME = matching(r"[A-Za-z0-9.-]{1,64}", "")
ACCOUNT_ID = matching(r"\d{5,20}", "")
LOGS = matching(r"([a-z0-9-]{3,63})/([a-z0-9_-]{2,63})", "")
TRUSTED_ARN = matching(r"acs:ram::\d+:(user|role)/\S+", "")


@dataclass(frozen=True)
class Wanted:
    roles: WantedRoles
    bucket: WantedBucket


def add_setup_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bucket", help="bucket name (default: OSS_BUCKET)")
    parser.add_argument("--region", help="region of the bucket, such as cn-hangzhou (default: OSS_REGION)")
    parser.add_argument("--account", help="account id; only a dry run needs it, to print whole ARNs")
    parser.add_argument("--function-role", help=f"default: FUNCTION_ROLE_NAME or {DEFAULT_FUNCTION_ROLE}")
    parser.add_argument("--upload-role", help=f"default: the role in STS_ROLE_ARN or {DEFAULT_UPLOAD_ROLE}")
    parser.add_argument("--profiles", type=Path, help="default: PROFILES_FILE or profiles.toml")
    parser.add_argument(
        "--session-seconds",
        type=int,
        help="longest session of the upload role (default: STS_SESSION_SECONDS)",
    )
    parser.add_argument(
        "--also-trust",
        action="append",
        default=[],
        metavar="ARN",
        help="RAM user or role that may take the upload role as well, to try forms from your own machine",
    )
    parser.add_argument(
        "--logs", metavar="PROJECT/LOGSTORE", help="let the function write its log there (s.yaml: logConfig)"
    )
    parser.add_argument(
        "--bucket-create",
        action="store_true",
        help="make the bucket when it is missing, and have it end stale multipart uploads",
    )
    parser.add_argument(
        "--allow-public-read",
        action="store_true",
        help='switch Block Public Access off where a profile has acl = "public-read"; asks before it does',
    )
    parser.add_argument(
        "--h5-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="page that posts forms from a browser, such as https://m.example.com; gets a CORS rule",
    )
    parser.add_argument("--dry-run", action="store_true", help="print every call and document, send nothing")
    parser.add_argument("--yes", action="store_true", help="make the changes without asking")


def read_wanted(args: argparse.Namespace, environ: Mapping[str, str]) -> Wanted:
    """
    What should be, from the options, the environment and the profiles.

    Raises:
        Misconfigured: with a sentence for each option that is wrong.
    """
    problems: list[str] = []

    def checked(value: str, kind: Kind, complaint: str) -> None:
        try:
            kind.read(value)
        except ValueError:
            problems.append(f"{complaint}; {value!r} is not." if value else f"{complaint}; it is missing.")

    bucket = args.bucket or environ.get("OSS_BUCKET", "")
    checked(bucket, BUCKET, "--bucket or OSS_BUCKET must be 3 to 63 lower-case letters, digits and hyphens")
    region = args.region or environ.get("OSS_REGION", "")
    named = region.removeprefix("oss-") if region.startswith("oss-") else "cn-hangzhou"
    checked(region, REGION, f"--region or OSS_REGION must be a region id such as {named}")
    given_arn = environ.get("STS_ROLE_ARN", "")
    account, upload_role = _split_arn(given_arn)
    account = args.account or account or UNKNOWN_ACCOUNT
    if account != UNKNOWN_ACCOUNT:
        checked(account, ACCOUNT_ID, "--account must be the digits of an account id")
    function_role = args.function_role or environ.get("FUNCTION_ROLE_NAME") or DEFAULT_FUNCTION_ROLE
    upload_role = args.upload_role or upload_role or DEFAULT_UPLOAD_ROLE
    for option, name in (("--function-role", function_role), ("--upload-role", upload_role)):
        checked(name, ROLE_NAME, f"{option} must be 1 to 64 letters, digits, points and hyphens")
    if function_role == upload_role:
        problems.append("--function-role and --upload-role must be two roles: the one takes the other.")
    for origin in args.h5_origin:
        checked(origin, ORIGIN, "--h5-origin must be an origin such as https://m.example.com, without a path")
    for arn in args.also_trust:
        checked(arn, TRUSTED_ARN, "--also-trust must be acs:ram::<account>:user/<name> or …:role/<name>")
    if args.logs:
        checked(args.logs, LOGS, "--logs must be PROJECT/LOGSTORE")
    policy, profiles = _read_profiles(args, environ, bucket, problems)
    seconds = _session_seconds(args, environ, problems)
    if problems:
        raise Misconfigured(Problem("setup", problem) for problem in problems)
    project, _, logstore = (args.logs or "").partition("/")
    return Wanted(
        WantedRoles(
            account=account,
            function_role=function_role,
            upload_role=upload_role,
            upload_policy=policy,
            session_seconds=seconds,
            also_trusted=tuple(args.also_trust),
            logs=(project, logstore) if args.logs else None,
        ),
        WantedBucket(
            bucket,
            region,
            args.bucket_create,
            tuple(args.h5_origin),
            tuple(profile.name for profile in profiles if profile.acl == "public-read"),
            args.allow_public_read,
            tuple(profile.name for profile in profiles if profile.takes_filename),
        ),
    )


def _split_arn(arn: str) -> tuple[str, str]:
    """Account and name of a role; two empty texts for what is no role's ARN."""
    try:
        ROLE_ARN.read(arn)
    except ValueError:
        return "", ""
    account, _, name = arn.removeprefix("acs:ram::").partition(":role/")
    return account, name


def _read_profiles(
    args: argparse.Namespace, environ: Mapping[str, str], bucket: str, problems: list[str]
) -> tuple[dict[str, Any], list[Profile]]:
    """The policy that serves all profiles, and the profiles."""
    path = args.profiles or DEFAULT_PROFILES_FILE.parent / (
        environ.get("PROFILES_FILE") or DEFAULT_PROFILES_FILE
    )
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problems.append(
            f"--profiles {path} cannot be read: {getattr(error, 'strerror', None) or 'not UTF-8'}."
        )
        return {}, []
    profiles, found = read_profiles(text, default_signature="v4")
    problems += [problem.sentence for problem in found]
    policy = session_policies(bucket, profiles.values())[UPLOADS]
    if len(policy) > MAX_POLICY_CHARACTERS:
        problems.append(
            f"profiles.toml: all folders together make a policy of {len(policy)} characters; STS takes"
            f" {MAX_POLICY_CHARACTERS}. Use fewer or shorter first folders."
        )
    return json.loads(policy), list(profiles.values())


def _session_seconds(args: argparse.Namespace, environ: Mapping[str, str], problems: list[str]) -> int:
    text = str(args.session_seconds or environ.get("STS_SESSION_SECONDS") or 3600)
    if not re.fullmatch(r"\d{1,6}", text) or not 900 <= int(text) <= 43200:
        problems.append(f"--session-seconds or STS_SESSION_SECONDS must be 900 to 43200; {text!r} is not.")
        return 3600
    return int(text)
