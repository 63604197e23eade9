"""
Say what is wrong with a deployment and how to mend it: settings, clock, keys, roles, bucket, uploads,
callback, the function itself, and the domains for the mini-program console.

Reads .env and the environment, as the deployment does. Uploads a byte through a form of each profile and
removes it where the keys may; where a profile has a callback, the business (UPLOAD_WEBHOOK_URL) hears of it,
with the caller "doctor". With --code or --token the forms come from the deployed function itself, and keys of
this machine are needed for the removal only. --local examines a local cloud of its own instead.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain

from function.credentials import AccessKeys, StsCredentials
from function.kinds import ADDRESS_PATTERN
from function.settings import Settings
from ops.client.function_client import FunctionSilent
from ops.deploy.operator_env import add_env_argument, operator_environment
from ops.doctor.configuration import check_env_file, check_settings
from ops.doctor.deployed import check_callback, check_function, domains
from ops.doctor.findings import Finding, State, as_one, joined
from ops.doctor.forms import FormRefused, forms_of_function, forms_signed_here, log_in_at
from ops.doctor.identity import check_keys, check_sts
from ops.doctor.network import check_network
from ops.doctor.objects import (
    check_behind_forms,
    check_confirmation,
    check_reading,
    check_reading_at,
)
from ops.doctor.parts import check_parts
from ops.doctor.services import check_bucket, check_clock, check_wechat
from ops.doctor.uploads import Uploads
from ops.terminal.language import Text, add_language_argument, chosen_language
from ops.terminal.masking import printable
from ops.terminal.screen import GREEN, RED, YELLOW, Screen

SUMMARY = Text("what is wrong with a deployment, and how to mend it", "部署哪里不对，怎样修好")
ABOUT = Text(
    __doc__,
    "说明一次部署哪里不对、怎样修好：设置、时钟、密钥、角色、桶、上传、回调、函数本身，以及要填入小程序后台的域名。"
    "\n\n与部署一样读取 .env 与环境变量。用每个用途的表单上传一个字节，密钥有权限时再删除；"
    "用途有回调时，业务（UPLOAD_WEBHOOK_URL）会收到通知，调用者为“doctor”。给出 --code 或 --token 时，"
    "表单来自已部署的函数，本机的密钥只用于删除。--local 改为检查它自己启动的本地云。",
)
HELP = {
    "--url": Text(
        "address of the deployed function (default: from CALLBACK_URL)",
        "已部署的函数的地址（默认：由 CALLBACK_URL 得出）",
    ),
    "--code": Text(
        "a code of wx.login: ask the deployed function for forms", "wx.login 的 code：向已部署的函数要表单"
    ),
    "--token": Text("a token for the deployed function, instead of a code", "已部署的函数的令牌，代替 code"),
    "--no-upload": Text("upload nothing", "不上传任何东西"),
    "--local": Text("start a local cloud and examine that", "启动一个本地云并检查它"),
}

MARKS = {
    State.GOOD: ("✓", GREEN),
    State.BAD: ("✗", RED),
    State.UNSURE: ("!", YELLOW),
    State.SKIPPED: ("-", ""),
}
DOMAINS = Text(
    "Domains for the mini-program console (“开发管理 > 开发设置 > 服务器域名”)",
    "填入小程序后台（开发管理 > 开发设置 > 服务器域名）的域名",
)
BAD_URL = Text(
    "--url must be the http(s) address of the function, without a query.",
    "--url 必须是函数的 http(s) 地址，不带查询串。",
)
LOGIN = Text("Login at the function", "在函数处登录")
_ITS_OWN_ROLE = Text(
    "(no harm: the deployed function signs with its own role)", "（无妨：已部署的函数用自己的角色签名）"
)
JOINT = Text("{check}: {said}", "{check}：{said}")
ALL_WELL = Text("All is well.", "一切正常。")
NOT_WELL = Text("{count} of {total} checks failed.", "{total} 项检查中有 {count} 项失败。")


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    for option in ("--url", "--code", "--token"):
        parser.add_argument(option, default="", help=HELP[option].say(language))
    for option in ("--no-upload", "--local"):
        parser.add_argument(option, action="store_true", help=HELP[option].say(language))
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    screen = Screen()
    match = re.fullmatch(ADDRESS_PATTERN, args.url.rstrip("/") + "/")
    if args.url and (match is None or match["query"]):
        Screen(sys.stderr).fail(BAD_URL.say(language))
        return 2
    if args.local:
        return _examine_a_local_cloud(args, screen, language)
    environ = operator_environment(args.env_file, os.environ)
    visit = Visit(args.url, args.code, args.token, uploads=not args.no_upload)
    findings = chain(check_env_file(args.env_file, os.environ), examine(environ, visit))
    return show(findings, environ, args.url, screen, language)


def _examine_a_local_cloud(args: argparse.Namespace, screen: Screen, language: str) -> int:
    from ops.run.hosting import HostingError, Plan, quiet_log, running_cloud

    try:
        with running_cloud(Plan()) as cloud, quiet_log():
            environ = cloud.environment()
            url = cloud.gateway.origin
            visit = Visit(url, uploads=not args.no_upload)
            return show(examine(environ, visit), environ, url, screen, language)
    except HostingError as error:
        screen.fail_with(error, language)
        return 1


@dataclass(frozen=True)
class Visit:
    """
    What an examination may use.

    Args:
        url: of the deployed function; empty: worked out from ``CALLBACK_URL``.

        code, token: to ask the deployed function for forms; without, they are signed here.
    """

    url: str = ""
    code: str = ""
    token: str = ""
    uploads: bool = True


def examine(environ: Mapping[str, str], visit: Visit, now: datetime | None = None) -> Iterator[Finding]:
    """
    Every check, in the order in which one depends on another; a finding comes as soon as it is known.

    Args:
        now: timezone-aware UTC; the machine's own clock when it is not given.
    """
    settings, findings = check_settings(environ)
    yield from findings
    if settings is None:
        yield from check_function(visit.url.rstrip("/"))
        return
    url = function_url(settings, visit.url)
    if finding := check_network(settings, url):
        yield finding
        return
    yield check_clock(settings, now or datetime.now(UTC))
    yield check_bucket(settings)
    if settings.wechat is not None:
        yield check_wechat(settings)
    instant = now or datetime.now(UTC)
    asks_function = bool(url) and (bool(visit.code or visit.token) or settings.caller_auth == "anonymous")
    keys, finding = check_keys(environ)
    yield finding if keys or not asks_function else _not_needed(finding)
    credentials = None
    if keys is not None:
        credentials, finding = check_sts(settings, keys, instant)
        yield finding if credentials or not asks_function else _not_needed(finding)
    if visit.uploads:
        yield from _uploads(settings, visit, url, asks_function, credentials, keys, instant)
    yield check_callback(settings)
    yield from check_function(url)


def _not_needed(finding: Finding) -> Finding:
    """Keys of this machine that cannot sign say nothing against a function that signs with its own."""
    return replace(finding, state=State.UNSURE, said=joined(finding.said, _ITS_OWN_ROLE))


def _uploads(
    settings: Settings,
    visit: Visit,
    url: str,
    asks_function: bool,
    credentials: StsCredentials | None,
    keys: AccessKeys | None,
    now: datetime,
) -> Iterator[Finding]:
    token = None
    if asks_function and (visit.code or visit.token or credentials is None):
        try:
            token = visit.token or (log_in_at(url, visit.code) if visit.code else "")
            ask = forms_of_function(url, token)
        except FormRefused as error:
            yield Finding(LOGIN, State.BAD, error.said, error.remedy)
            return
        except FunctionSilent as error:
            yield Finding(LOGIN, State.BAD, error.said)
            return
    elif credentials is not None:
        ask = forms_signed_here(settings, credentials, now)
    else:
        return
    course = Uploads(settings, ask, now)
    for profile in settings.profiles.values():
        yield course.check_profile(profile)
    pages = filter(lambda one: one.takes_filename, settings.profiles.values())
    changed_key = course.check_changed_key(next(iter(settings.profiles.values())))
    yield from as_one([changed_key, *(course.check_public_page(profile) for profile in pages)])
    yield from as_one(list(_confirming_and_reading(course, url, token, keys if credentials else None)))
    if asks_function and (token is not None or settings.caller_auth == "anonymous"):
        for profile in [one for one in settings.profiles.values() if one.parts][:1]:
            yield check_parts(url, token or "", profile)
    if credentials is not None:
        yield _behind_forms(course, credentials)
    yield course.remove(keys)


def _confirming_and_reading(
    course: Uploads, url: str, token: str | None, keys: AccessKeys | None
) -> Iterator[Finding]:
    """
    Of one profile each: they all go the same way.

    Args:
        token: of the caller whose uploads these are; ``None`` where the forms were signed here.

        keys: that may take the role; ``None`` where none here may.
    """
    settings, now = course.settings, course.now
    stored = [profile for profile in settings.profiles.values() if profile.name in course.stored]
    for profile in [one for one in stored if course.stored[one.name] in course.tickets][:1]:
        ticket = course.tickets[course.stored[profile.name]]
        yield check_confirmation(settings, profile, url, ticket, now)
    if token is not None:
        for profile in [one for one in stored if one.read][:1]:
            yield check_reading_at(url, token, profile, course.stored[profile.name])
    elif keys is not None:
        readable = [one for one in stored if one.is_read_signed or one.confirm]
        for profile in sorted(readable, key=lambda one: not one.is_read_signed)[:1]:
            yield check_reading(settings, profile, course.stored[profile.name], keys, now)


def _behind_forms(course: Uploads, credentials: StsCredentials) -> Finding:
    finding = course.check_other_folder(credentials)
    if finding.state is not State.GOOD or not course.stored:
        return finding
    return check_behind_forms(course.settings, credentials, next(iter(course.stored.values())), course.now)


def function_url(settings: Settings, url: str) -> str:
    """Where the function is: as given, else where its callback is."""
    return (url or (settings.callback_url or "").removesuffix("/callback")).rstrip("/")


def show(
    findings: Iterator[Finding], environ: Mapping[str, str], url: str, screen: Screen, language: str
) -> int:
    """Print each finding as it comes, then the domains; 1 when anything is bad."""
    states = []
    for finding in findings:
        states.append(finding.state)
        mark, colour = MARKS[finding.state]
        check, said = finding.check.say(language), printable(finding.said.say(language))
        line = f"{mark} {JOINT.say(language, check=check, said=said)}"
        screen.line(screen.colour(line, colour) if colour else line)
        if finding.remedy and finding.state is not State.GOOD:
            screen.line(f"    → {finding.remedy.say(language)}")
    _show_domains(environ, url, screen, language)
    screen.line()
    if State.BAD in states:
        screen.fail(NOT_WELL.say(language, count=states.count(State.BAD), total=len(states)))
        return 1
    screen.line(screen.colour(f"✓ {ALL_WELL.say(language)}", GREEN))
    return 0


def _show_domains(environ: Mapping[str, str], url: str, screen: Screen, language: str) -> None:
    settings, _ = check_settings(environ)
    if settings is None:
        return
    screen.line()
    screen.title(DOMAINS.say(language))
    rows = domains(settings, function_url(settings, url))
    screen.pairs({name: value.say(language) for name, value in rows})
