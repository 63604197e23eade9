"""Roles and buckets of the account against what the profiles need, for ``make deploy`` and ``doctor``."""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from itertools import product
from typing import Any
from xml.etree import ElementTree

from ops.account.bucket import DesiredBucket, notes_on_what_is_there, public_strip
from ops.account.cloud import Account, CloudError
from ops.account.desired import DesiredState, read_desired
from ops.account.lifecycle import EXPIRE, is_on, lifecycle_steps, overlaps, wanted
from ops.account.oss_client import operator_keys
from ops.account.setup_options import add_setup_arguments
from ops.deploy.operator_env import ENV_FILE, operator_environment, operator_settings
from ops.terminal.command_line import run_command
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
NO_RULE = Text("bucket {name} lacks a rule: {why}", "桶 {name} 缺少规则：{why}")
SHORT = Text(
    "bucket {name} removes {prefix} after {days} days, before the {needed} that hold_days needs",
    "桶 {name} 在 {days} 天后就清理 {prefix}，而 hold_days 需要 {needed} 天",
)


class Kind(Enum):
    """Meaning of a difference for a deployment."""

    UNREAD = "not compared"
    LACKING = "added by setup"
    SHORT = "removed too soon until setup has run"
    PUBLIC = "must be private"
    DOUBT = "may surprise later"


Difference = tuple[Kind, Text]


def differences(environ: Mapping[str, str]) -> Iterator[Difference]:
    """
    Compare roles and buckets with what the profiles need, as far as the key may read them.

    Raises:
        Failure: there is no key, or an option is wrong.
    """
    try:
        desired, account = _desired_state(environ)
    except CloudError as error:
        yield Kind.UNREAD, UNREAD.filled(what=ACCOUNT, code=error.code)
        return
    try:
        yield from _lacking_rights(desired, account)
    except CloudError as error:
        yield Kind.UNREAD, UNREAD.filled(what=ROLES, code=error.code)
    for bucket in desired.buckets:
        try:
            yield from _of_bucket(bucket, account)
        except CloudError as error:
            what = BUCKET.filled(name=bucket.name)
            yield Kind.UNREAD, UNREAD.filled(what=what, code=error.code)


def _desired_state(environ: Mapping[str, str]) -> tuple[DesiredState, Account]:
    parser = argparse.ArgumentParser()
    add_setup_arguments(parser, "en")
    args = parser.parse_args([])
    account = Account(operator_keys(environ), environ.get("OSS_REGION", ""))
    args.account = account.account_id()
    return read_desired(args, environ), account


def _lacking_rights(desired: DesiredState, account: Account) -> Iterator[Difference]:
    _, *uploads = desired.of(desired.account)[0]
    found = account.find_roles(uploads).policies
    for role in uploads:
        if lacking := sorted({action for action, *_ in _rights(role.policy) - _rights(found.get(role.name))}):
            yield Kind.LACKING, LACKS.filled(name=role.name, rights=", ".join(lacking))


def _rights(policy: Any) -> set[tuple[str, str, str]]:
    """Return what a policy allows: each action with each resource and its condition."""
    statements = policy.get("Statement", []) if isinstance(policy, dict) else []
    allowed = [each for each in statements if each.get("Effect") == "Allow"]
    conditions = [str(each.get("Condition")) for each in allowed]
    rows = zip(allowed, conditions, strict=True)
    return {row for each, when in rows for row in product(each["Action"], each["Resource"], [when])}


def _of_bucket(bucket: DesiredBucket, account: Account) -> Iterator[Difference]:
    found = account.find_bucket(bucket, with_documents=False)
    if found is None:
        return
    yield from ((Kind.PUBLIC, said) for said in public_strip(bucket, found))
    current, notes = account.lifecycle(bucket), [*notes_on_what_is_there(bucket, found)]
    yield from ((Kind.SHORT, said) for said in _short_rules(bucket, current))
    for step in lifecycle_steps(bucket, current, notes):
        yield Kind.LACKING, NO_RULE.filled(name=bucket.name, why=step.why)
    yield from ((Kind.DOUBT, note) for note in notes)


def _short_rules(bucket: DesiredBucket, current: str) -> Iterator[Text]:
    """Return a sentence for each folder that a rule of the document empties too soon."""
    root = ElementTree.fromstring(current) if current else ElementTree.Element("None")
    for rule in (rule for rule in root.findall("Rule") if is_on(rule, EXPIRE)):
        days = int(rule.findtext("Expiration/Days") or 0)
        for folder in wanted(bucket):
            if 0 < days < folder.days and overlaps(rule, folder.name):
                values = {"name": bucket.name, "prefix": folder.name, "days": days, "needed": folder.days}
                yield SHORT.filled(**values)


def examine(environ: Mapping[str, str], language: str, screen: Screen) -> list[Text]:
    """
    Return a sentence for each thing that must be mended first; lines say what is missing, or was not read.

    Raises:
        Failure: a profile has ``strip``, and no key can read whether its bucket is private.
    """
    try:
        strips = any(profile.strip for profile in operator_settings(environ).profiles.values())
    except Failure:
        # ``check-deploy``, which runs before, names each problem.
        return []
    try:
        found = [*differences(environ)]
    except Failure:
        if strips:
            raise
        found = [(Kind.UNREAD, UNREAD.filled(what=ACCOUNT, code=NO_KEY))]
    problems = []
    for kind, text in found:
        if kind in (Kind.LACKING, Kind.SHORT):
            text = SETUP.filled(what=text)
        if kind in (Kind.UNREAD, Kind.LACKING):
            screen.warn(text.say(language))
        elif kind in (Kind.SHORT, Kind.PUBLIC):
            problems.append(text)
    return problems


def main(_: argparse.Namespace) -> int:
    language, complaints = chosen_language(None), Screen(sys.stderr)
    problems = examine(operator_environment(ENV_FILE, os.environ), language, complaints)
    is_meant = "--anyway" in sys.argv
    for problem in problems:
        (complaints.warn if is_meant else complaints.fail)(problem.say(language))
    return 2 if problems and not is_meant else 0


if __name__ == "__main__":
    raise SystemExit(run_command(main, argparse.Namespace(lang=None)))
