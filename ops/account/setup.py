"""
Create what the account needs before the function is deployed: two RAM roles and, if desired, the bucket; with
profiles that have a role or a bucket of their own these as well.

Names come from .env: OSS_BUCKET, OSS_REGION, STS_ROLE_ARN, FUNCTION_ROLE_NAME, LOG_PROJECT, PROFILES_FILE.
The plan is shown before anything changes, and a second run changes nothing. The keys are those of a RAM
user with AliyunRAMFullAccess and AliyunOSSFullAccess, in AccountID, AccessKeyID and AccessKeySecret, which
make deploy reads as well (or in ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET).
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping

from ops.account.bucket import DesiredBucket, FoundBucket, named
from ops.account.bucket_plan import bucket_steps
from ops.account.cloud import Account, CloudError
from ops.account.desired import DesiredState, read_desired
from ops.account.metric_alarms import alarm_steps, instance_limit
from ops.account.oss_client import operator_keys
from ops.account.printed_steps import as_json, show_steps
from ops.account.role_plan import FoundRoles, Step, role_steps
from ops.account.setup_options import add_setup_arguments
from ops.deploy.operator_env import add_env_argument, operator_environment
from ops.explain.advice import find_advice
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

RIGHTS = Text(
    " They belong to a RAM user with AliyunRAMFullAccess and AliyunOSSFullAccess. --dry-run needs none.",
    "要用有 AliyunRAMFullAccess 与 AliyunOSSFullAccess 权限的 RAM 用户的密钥。--dry-run 不需要密钥。",
)
SUMMARY = Text("create the roles and the bucket that a deployment needs", "创建部署所需的角色与桶")
ABOUT = Text(
    __doc__,
    "部署函数之前，创建账号里需要的东西：两个 RAM 角色，需要时还有桶；用途有自己的角色或桶时也一并创建。\n\n"
    "名称取自 .env：OSS_BUCKET、OSS_REGION、STS_ROLE_ARN、FUNCTION_ROLE_NAME、LOG_PROJECT、PROFILES_FILE。"
    "更改之前先显示计划；再次运行不会重复更改。"
    "所用密钥属于有 AliyunRAMFullAccess 与 AliyunOSSFullAccess 权限的 RAM 用户，放在 AccountID、AccessKeyID"
    " 与 AccessKeySecret，make deploy 读的也是它们（也可以是 ALIBABA_CLOUD_ACCESS_KEY_ID 与"
    " ALIBABA_CLOUD_ACCESS_KEY_SECRET）。",
)

WORDS = {
    "dry": Text(
        "Dry run: every call that an empty account would need. Nothing is sent.",
        "演练：空账号所需的全部调用。不会发送任何请求。",
    ),
    "plan": Text("What will change", "将要进行的更改"),
    "nothing": Text("Nothing to change: everything is in place.", "无需更改：一切就绪。"),
    "ask": Text("Make these {count} changes? [y/N] ", "执行这 {count} 项更改吗？[y/N] "),
    "needs_yes": Text(
        "Nothing was changed. Standard input is no terminal: add --yes to go on without asking.",
        "未做任何更改。标准输入不是终端：加 --yes 可不经询问直接执行。",
    ),
    "left": Text("Nothing was changed.", "未做任何更改。"),
    "failed": Text(
        "{action} failed: {code} (HTTP {status}, request {request_id}).",
        "{action} 失败：{code}（HTTP {status}，请求 {request_id}）。",
    ),
    "again": Text(
        "{done} of {count} changes were made. Mend the cause and run it again: nothing is done twice.",
        "已完成 {done}/{count} 项更改。解决问题后重新运行即可，已完成的不会重复执行。",
    ),
    "no_answer": Text(
        "Alibaba Cloud did not answer. Check the network and the proxy variables (HTTPS_PROXY).",
        "阿里云没有响应。请检查网络与代理变量（HTTPS_PROXY）。",
    ),
    "no_right": Text(
        "The key may not do this. Give its RAM user AliyunRAMFullAccess (roles) and AliyunOSSFullAccess"
        " (bucket).",
        "该密钥没有权限。请给对应的 RAM 用户授予 AliyunRAMFullAccess（角色）与 AliyunOSSFullAccess（桶）。",
    ),
    "other": Text(
        "The key belongs to account {found}, not to {account} (--account).",
        "该密钥属于账号 {found}，而不是 {account}（--account）。",
    ),
    "elsewhere": Text(
        "For the owner of account {account}: its roles and buckets are not this key's to make. Hand over what"
        " follows; nothing of it is sent.",
        "交给账号 {account} 的所有者：那里的角色和桶不能用这个密钥创建。请转交以下内容，不会发送任何请求。",
    ),
    "env": Text("Lines for .env", "写入 .env 的内容"),
    "next": Text(
        "Then run: make deploy. It says first what .env still lacks, such as CALLER_AUTH"
        " (for many phones at once: make deploy BURST=1)",
        "然后运行：make deploy，它会先列出 .env 里还缺的项，例如 CALLER_AUTH"
        "（很多手机同时到来时：make deploy BURST=1）",
    ),
}
NO_RIGHT = ("NoPermission", "AccessDenied", "Forbidden", "Forbidden.RAM", "Unauthorized")


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    add_setup_arguments(parser, language)
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    screen, complaints = Screen(), Screen(sys.stderr)
    try:
        environ = operator_environment(args.env_file, os.environ)
        args.dry_run = args.dry_run or args.json
        desired = read_desired(args, environ)
        if args.dry_run:
            return _dry_run(desired, screen, language, complaints if args.json else None)
        return _set_up(args, desired, environ, screen, language)
    except CloudError as error:
        for line in error_lines(error, language):
            complaints.fail(line)
        return 1


def _dry_run(desired: DesiredState, screen: Screen, language: str, beside_json: Screen | None) -> int:
    """Show every call of an empty account; beside steps in JSON, ``beside_json`` gets all the rest."""
    steps, notes = _planned_unseen(desired, desired.account)
    steps += alarm_steps(desired.alarms, desired.account, desired.of(desired.account)[1])
    if beside_json:
        shown = {"env": desired.env, "steps": [as_json(step) for step in steps]}
        print(json.dumps(shown, indent=2, ensure_ascii=False))
        steps, screen = [], beside_json
    else:
        screen.title(WORDS["dry"].say(language))
    show_steps(steps, notes, screen, language)
    _show_elsewhere(desired, screen, language)
    if not beside_json:
        _show_env(desired, screen, language)
    return 0


def _set_up(
    args: argparse.Namespace, desired: DesiredState, environ: Mapping[str, str], screen: Screen, language: str
) -> int:
    account = Account(operator_keys(environ, RIGHTS), desired.buckets[0].region)
    found = account.account_id()
    if args.account and args.account != found:
        raise Failure(WORDS["other"].filled(found=found, account=args.account))
    # Now it is known which roles are in the account, and which are another's.
    args.account = found
    desired = read_desired(args, environ)
    roles, buckets = desired.of(found)
    steps, notes = _planned(desired, found, account.find_roles(roles), account.find_bucket)
    if desired.alarms:
        instances = instance_limit(account, found, buckets[0].region)
        steps += alarm_steps(desired.alarms, found, buckets, instances)
    if steps:
        screen.title(WORDS["plan"].say(language))
    else:
        screen.good(WORDS["nothing"].say(language))
    show_steps(steps, notes, screen, language)
    _show_elsewhere(desired, screen, language)
    if steps and not args.yes and not _confirmed(len(steps), screen, language):
        return 2
    for done, step in enumerate(steps):
        try:
            account.carry_out(step)
        except CloudError:
            screen.fail(WORDS["again"].say(language, done=done, count=len(steps)))
            raise
        screen.good(f"{step.service} {step.action}")
    _show_env(desired, screen, language)
    return 0


def _planned(
    desired: DesiredState,
    whose: str,
    found: FoundRoles,
    find: Callable[[DesiredBucket], FoundBucket | None],
) -> tuple[list[Step], list[Text]]:
    """The calls for an account's roles and buckets, and what to know; each note names its bucket."""
    roles, buckets = desired.of(whose)
    steps, notes = role_steps(roles, found)
    for bucket in buckets:
        more, told = bucket_steps(bucket, find(bucket))
        steps += more
        notes += named(told, bucket)
    return steps, notes


def _planned_unseen(desired: DesiredState, whose: str) -> tuple[list[Step], list[Text]]:
    """The same for an account where nothing is there yet, or buckets as new ones are."""
    there = FoundBucket("", "", "", blocks_public_access=True)
    return _planned(desired, whose, FoundRoles(), lambda bucket: None if bucket.create else there)


def _confirmed(count: int, screen: Screen, language: str) -> bool:
    if not sys.stdin.isatty():
        screen.fail(WORDS["needs_yes"].say(language))
        return False
    try:
        answer = input(WORDS["ask"].say(language, count=count))
    except EOFError:
        answer = ""
    if answer.strip().lower() in ("y", "yes", "是"):
        return True
    screen.line(WORDS["left"].say(language))
    return False


def _show_elsewhere(desired: DesiredState, screen: Screen, language: str) -> None:
    """Show what the owner of each other account has to make; nothing is sent."""
    for account in desired.accounts[1:]:
        screen.line()
        screen.title(WORDS["elsewhere"].say(language, account=account))
        show_steps(*_planned_unseen(desired, account), screen, language)


def _show_env(desired: DesiredState, screen: Screen, language: str) -> None:
    screen.line()
    screen.title(WORDS["env"].say(language))
    for name, value in desired.env.items():
        screen.line(f"{name}={value}")
    screen.line()
    screen.line(WORDS["next"].say(language))


def error_lines(error: CloudError, language: str) -> list[str]:
    """Return the failure and its remedy; never text of the service, which may quote the request."""
    values = {"status": error.status or "-", "request_id": error.request_id or "-"}
    failed = WORDS["failed"].say(language, action=error.action, code=error.code, **values)
    if error.code in ("NoAnswer", "UnreadableAnswer"):
        return [failed, WORDS["no_answer"].say(language)]
    if error.code in NO_RIGHT:
        return [failed, WORDS["no_right"].say(language)]
    advice = find_advice(error.code, "", error.ec)
    return [failed, advice.remedy.say(language)] if advice else [failed]
