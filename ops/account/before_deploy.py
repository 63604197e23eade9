"""``make deploy``: the roles and buckets of the account, against what the profiles need."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any
from xml.etree import ElementTree

from ops.account.bucket import PRIVATE, DesiredBucket, PartedFolder, public_strip
from ops.account.cloud import Account, CloudError
from ops.account.desired import DesiredState, read_desired
from ops.account.lifecycle import EXPIRE, is_on, overlaps, wanted
from ops.account.oss_client import operator_keys
from ops.account.setup_options import add_setup_arguments
from ops.deploy.operator_env import ENV_FILE, operator_environment, operator_settings
from ops.terminal.language import Failure, Text, chosen_language
from ops.terminal.screen import Screen

UNREAD = Text("Not compared: {what} ({code}).", "没有比较：{what}（{code}）。")
ACCOUNT = Text("the roles and buckets of the account", "账号里的角色和桶")
ROLES = Text("the rights of the roles", "角色的权限")
BUCKET = Text("bucket {name}: its rules, and whether it is private", "桶 {name} 的规则，以及是否私有")
NO_KEY = Text("no key of the cloud in the environment", "环境变量里没有云账号的密钥")
SETUP = Text(
    "{what}. Run: python3 manage.py setup (it adds only what is missing; run it after every change)",
    "{what}。请运行 python3 manage.py setup（只补上缺少的；每次改动后都运行一次）",
)
LACKS = Text("role {name} may not {rights}", "角色 {name} 没有权限 {rights}")
SHORT = Text(
    "bucket {name} removes {prefix} after {days} days, before the {needed} that hold_days needs",
    "桶 {name} 在 {days} 天后就清理 {prefix}，而 hold_days 需要 {needed} 天",
)


def examine(environ: Mapping[str, str], language: str, screen: Screen) -> list[Text]:
    """
    Return a sentence for each thing that must be mended first; lines say what is missing, or was not read.

    Raises:
        Failure: a profile has ``strip``, and no key can read whether its bucket is private.
    """

    def unread(what: Text, code: str) -> None:
        screen.warn(UNREAD.say(language, what=what.say(language), code=code))

    try:
        strips = any(profile.strip for profile in operator_settings(environ).profiles.values())
    except Failure:
        # ``check-deploy``, which runs before, names each problem.
        return []
    try:
        desired, account = desired_state(environ)
    except CloudError as error:
        unread(ACCOUNT, error.code)
        return []
    except Failure:
        if strips:
            raise
        unread(ACCOUNT, NO_KEY.say(language))
        return []
    try:
        for sentence in lacking_rights(desired, account):
            screen.warn(SETUP.say(language, what=sentence.say(language)))
    except CloudError as error:
        unread(ROLES, error.code)
    problems: list[Text] = []
    for bucket in (*desired.buckets, *(each for _, each in desired.buckets_elsewhere)):
        try:
            problems += _problems_of(bucket, account)
        except CloudError as error:
            unread(BUCKET.filled(name=bucket.name), error.code)
    return problems


def desired_state(environ: Mapping[str, str]) -> tuple[DesiredState, Account]:
    parser = argparse.ArgumentParser()
    add_setup_arguments(parser, "en")
    args = parser.parse_args([])
    account = Account(operator_keys(environ), environ.get("OSS_REGION", ""))
    args.account = account.account_id()
    return read_desired(args, environ), account


def lacking_rights(desired: DesiredState, account: Account) -> Iterator[Text]:
    """Return a sentence for each upload role that lacks rights."""
    found = account.find_roles(desired.roles).policies
    for name, policy in desired.roles.upload_policies.items():
        if lacking := sorted({action for action, *_ in _rights(policy) - _rights(found.get(name))}):
            yield LACKS.filled(name=name, rights=", ".join(lacking))


def _rights(policy: Any) -> set[tuple[str, str, str]]:
    """Return what a policy allows: each action with each resource and its condition."""
    statements = policy.get("Statement", []) if isinstance(policy, dict) else []
    allowed = [each for each in statements if each.get("Effect") == "Allow"]
    conditions = [str(each.get("Condition")) for each in allowed]
    rows = zip(allowed, conditions, strict=True)
    return {row for each, when in rows for row in product(each["Action"], each["Resource"], [when])}


def _problems_of(bucket: DesiredBucket, account: Account) -> Iterator[Text]:
    found = account.find_bucket(bucket, with_documents=False)
    if found and bucket.strips and found.acl not in ("", PRIVATE):
        yield public_strip(bucket.name, found.acl, bucket.strips)
    for folder, days in shorter_rules(bucket, account.lifecycle(bucket)) if found else ():
        what = SHORT.filled(name=bucket.name, prefix=folder.name, days=days, needed=folder.days)
        yield Text(SETUP.en.format(what=what.en), SETUP.zh.format(what=what.zh))


def shorter_rules(desired: DesiredBucket, current: str) -> list[tuple[PartedFolder, int]]:
    """
    Return each folder that a rule empties too soon, with the days of that rule.

    Args:
        current: the document that OSS handed out; empty where there is none.
    """
    root = ElementTree.fromstring(current) if current else ElementTree.Element("None")
    rules = [rule for rule in root.findall("Rule") if is_on(rule, EXPIRE)]
    days = {id(rule): int(rule.findtext("Expiration/Days") or 0) for rule in rules}
    return [
        (folder, days[id(rule)])
        for folder in wanted(desired)
        for rule in rules
        if 0 < days[id(rule)] < folder.days and overlaps(rule, folder.name)
    ]


def main() -> int:
    language, complaints = chosen_language(None), Screen(sys.stderr)
    try:
        problems = examine(operator_environment(ENV_FILE, os.environ), language, complaints)
    except Failure as error:
        complaints.fail_with(error, language)
        return 2
    is_meant = "--anyway" in sys.argv
    for problem in problems:
        (complaints.warn if is_meant else complaints.fail)(problem.say(language))
    return 2 if problems and not is_meant else 0


if __name__ == "__main__":
    raise SystemExit(main())
