"""
Erase everything of one user, by calling /erase of a deployed function until it is done.

The token is signed with RECEIPT_SECRET (else TOKEN_SECRET) of .env. --dry-run counts and erases nothing: with
AccessKeyID and AccessKeySecret of the environment, which must be able to list the buckets of the profiles, by
.env and profiles.toml of this folder. An erasure takes an hour and more, because forms that are
out must end: the timer of the function continues without this command, and running it again shows the state
and, in the end, the record.
"""

import argparse
import os
import re
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from function import context
from function.auth import is_subject, owner_of
from function.auth.business_token import ERASURE
from function.auth.signed_tokens import issue_token
from function.config.settings import Settings
from function.oss.versions import UPLOADS
from function.owners.erasure_pass import Step, steps_for
from function.owners.erasure_records import OWNER
from function.sts.credentials import AccessKeys
from ops.account.oss_client import client_at, failure_of, operator_keys
from ops.client.function_client import NOT_OURS, FunctionAtUrl, FunctionSilent, checked
from ops.client.review import TOKEN_LIFE
from ops.deploy.callers import CALLER, SEVERAL, caller_called
from ops.deploy.operator_env import add_env_argument, operator_environment, operator_settings
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language
from ops.terminal.screen import Screen

# While nothing happens, and after a failure; so many of these in a row end the command.
PAUSE_SECONDS, FAILURE_SECONDS, MOST_FAILURES = 60, 10, 10
REPEATED = (429, 503, 504)

SUMMARY = Text("erase everything of one user", "删除一个用户的全部数据")
ABOUT = Text(
    __doc__,
    "反复调用已部署函数的 /erase，直到一个用户的全部数据删除完成。\n\n"
    "令牌用 .env 里的 RECEIPT_SECRET（没有就用 TOKEN_SECRET）签发。--dry-run 只计数，什么都不删：用"
    "环境变量 AccessKeyID 和 AccessKeySecret（要能列出各用途的桶），以本目录的 .env"
    " 和 profiles.toml 为准。已经发出去的表单要先失效，所以要一个多小时："
    "没有本命令，函数的定时触发也会继续；再运行一次可以看到状态，完成后得到记录。",
)
URL = Text("address of the function", "函数的地址")
SUB = Text("the user as their token has it, such as the openid", "令牌里的用户标识，比如 openid")
OWNER_HELP = Text("instead of --sub: the 26 characters of a key", "代替 --sub：key 里的 26 个字符")
DRY_RUN = Text("count what would be erased, and erase nothing", "只计数，什么都不删")
NEEDS_URL = Text(
    "Name the function with --url, or count with --dry-run.", "请用 --url 给出函数，或用 --dry-run 计数。"
)
BAD_OWNER = Text("--owner must be the 26 characters of a key.", "--owner 应为 key 里的 26 个字符。")
BAD_SUB = Text("--sub must have 1 to 255 bytes.", "--sub 应为 1 到 255 字节。")
NO_SECRET = Text("RECEIPT_SECRET or TOKEN_SECRET is missing.", "缺少 RECEIPT_SECRET 或 TOKEN_SECRET。")
NOTHING_DONE = Text("Nothing was erased (--dry-run).", "什么都没有删除（--dry-run）。")
FOUND = Text(
    "{bucket}: {count} objects, versions, delete markers and unfinished uploads",
    "{bucket}：对象、版本、删除标记和碎片共 {count} 个",
)
COUNTED = Text("Counted in the folders of owner {owner}:", "统计的是用户目录 {owner}：")
NOT_COVERED = Text("Not covered, erase yourself: {names}", "不包括这些用途，请自行清除：{names}")
COUNTS = Text(
    "{state}: {deleted} deleted, {aborted} uploads aborted",
    "{state}：删除 {deleted} 个，放弃上传 {aborted} 个",
)
RUNNING, DONE = Text("running", "进行中"), Text("done", "已完成")
BLOCKED = Text(
    "{count} objects are under retention; it ends after that does.",
    "{count} 个对象处于保留期，期满后才能完成。",
)
WAITS = Text(
    "It ends with a second pass, an hour after the longest expires_in. Ctrl-C is safe: the timer continues.",
    "最长的 expires_in 再过一小时，会再删一遍才结束。可以按 Ctrl-C，定时触发会继续。",
)
STOPPED = Text(
    "Stopped here. The timer of the function continues; for state and record run this command again.",
    "已停止等待，函数的定时触发会继续；再运行一次本命令，可以看到状态，完成后得到记录。",
)


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("--url", default="", help=URL.say(language))
    user = parser.add_mutually_exclusive_group(required=True)
    user.add_argument("--sub", help=SUB.say(language))
    user.add_argument("--owner", help=OWNER_HELP.say(language))
    parser.add_argument("--caller", default="", metavar="NAME", help=CALLER.say(language))
    parser.add_argument("--dry-run", action="store_true", help=DRY_RUN.say(language))
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language, screen = chosen_language(args.lang), Screen()
    environ = operator_environment(args.env_file, os.environ)
    settings = operator_settings(environ)
    called, owner_id = ("", "") if args.owner is not None else caller_called(args.caller, environ)
    owner = _owner(args, settings, owner_id)
    if not (args.url or args.dry_run):
        raise Failure(NEEDS_URL)
    if args.dry_run:
        _show_counts(settings, owner, operator_keys(environ), screen, language)
        screen.line(NOTHING_DONE.say(language))
        return 0
    if not settings.receipt_secrets:
        raise Failure(NO_SECRET)
    # The owner is made by the function: the secret of another .env would find nothing, and be done.
    user = {"owner": args.owner} if args.owner is not None else {"sub": args.sub}
    if called and (args.caller or settings.caller_auth == SEVERAL):
        user["caller"] = called
    try:
        return _erase(FunctionAtUrl(args.url), settings, user, screen, language)
    except KeyboardInterrupt:
        screen.line(STOPPED.say(language))
        return 130


def _owner(args: argparse.Namespace, settings: Settings, owner_id: str) -> str:
    if args.owner is None:
        if not is_subject(args.sub):
            raise Failure(BAD_SUB)
        return owner_of(args.sub, settings.owner_secret, owner_id)
    if not re.fullmatch(OWNER, args.owner):
        raise Failure(BAD_OWNER)
    return str(args.owner)


def _show_counts(settings: Settings, owner: str, keys: AccessKeys, screen: Screen, language: str) -> None:
    """Show how much there is in each bucket; raise ``Failure`` if OSS refuses or is not reached."""
    has_hooks = context.HOOKS_FILE.is_file()
    profiles = [
        each._replace(key=each.key._replace(has_inner_folders=has_hooks))
        for each in settings.profiles.values()
    ]
    covered = [
        each
        for each in profiles
        if each.key.begins_with_owner and (each.key.has_owned_folders or not has_hooks)
    ]
    counts = Counter[str]()
    for step in steps_for(covered, owner):
        counts[step.location.bucket] += _found(step, keys)
    screen.line(COUNTED.say(language, owner=owner))
    for bucket, count in counts.items():
        screen.line(FOUND.say(language, bucket=bucket, count=count))
    if others := [each.name for each in profiles if each not in covered]:
        screen.line(NOT_COVERED.say(language, names=", ".join(others)))


def _found(step: Step, keys: AccessKeys) -> int:
    """Return how many things a step of the erasure would find; raise ``Failure`` if OSS refuses."""
    import alibabacloud_oss_v2 as oss

    bucket, client = step.location.bucket, client_at(step.location, keys)
    try:
        if step.listed == UPLOADS:
            uploads = oss.ListMultipartUploadsRequest(bucket, prefix=step.prefix)
            pages = client.list_multipart_uploads_paginator().iter_page(uploads)
            return sum(len(page.uploads or ()) for page in pages)
        versions = oss.ListObjectVersionsRequest(bucket, prefix=step.prefix)
        pages = client.list_object_versions_paginator().iter_page(versions)
        return sum(len(page.version or ()) + len(page.delete_marker or ()) for page in pages)
    except oss.exceptions.BaseError as error:
        raise failure_of(error, step.location) from None


def _erase(
    client: FunctionAtUrl, settings: Settings, user: dict[str, str], screen: Screen, language: str
) -> int:
    """Call until it is done; the record is the last line."""
    before, is_waiting = -1, False
    while True:
        said = _asked(client, settings, user)
        is_done, now = said["state"] == "done", said["deleted"] + said["aborted"]
        if is_done or now != before:
            counts = {name: said[name] for name in ("deleted", "aborted")}
            screen.line(COUNTS.say(language, state=(DONE if is_done else RUNNING).say(language), **counts))
            if blocked := said.get("blocked"):
                screen.line(BLOCKED.say(language, count=blocked))
        if is_done:
            if names := said["notCovered"]:
                screen.line(NOT_COVERED.say(language, names=", ".join(names)))
            screen.line(said["record"])
            return 0
        if now == before:
            if not is_waiting:
                screen.line(WAITS.say(language))
            is_waiting = True
            time.sleep(PAUSE_SECONDS)
        before = now


def _asked(client: FunctionAtUrl, settings: Settings, user: dict[str, str]) -> dict[str, Any]:
    """Return what the function says of the erasure; a call that failed is repeated some times."""
    for failures in range(MOST_FAILURES + 1):
        now = datetime.now(UTC)
        token = issue_token({}, audience=ERASURE, secrets=settings.receipt_secrets, now=now, life=TOKEN_LIFE)
        try:
            answer = client.ask("erase", user, token)
            if answer.status not in REPEATED or failures == MOST_FAILURES:
                break
        except FunctionSilent:
            if failures == MOST_FAILURES:
                raise
        time.sleep(FAILURE_SECONDS)
    said = checked(answer)
    if not said.keys() >= {"state", "deleted", "aborted", "notCovered"}:
        raise Failure(NOT_OURS)
    return said
