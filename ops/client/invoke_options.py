"""
Options of ``invoke``, and which of them go together.
"""

import argparse
import os
import re
from pathlib import Path
from typing import Any

from function.config.types import ADDRESS_PATTERN
from function.holding.records import PUBLISH, REJECT
from ops.terminal.language import Text

# What a form is asked for where nothing is said of a file: most profiles admit it.
SOME_PICTURE = "picture.jpg"
WORDS = {
    "where": Text(
        "Say where the function is: --url https://…, or --endpoint, --service and --function together.",
        "请指明函数的位置：--url https://…，或同时给出 --endpoint、--service 与 --function。",
    ),
    "bad_url": Text(
        "{option} must be an http(s) address without a query.", "{option} 必须是不带查询串的 http(s) 地址。"
    ),
    "both": Text(
        "--code logs in and --token is what a login gives: use one.",
        "--code 用于登录，--token 是登录的结果：只用其一。",
    ),
    "together": Text(
        "--read KEY stands alone or with --variant, --variant with --read, --sha256 with --upload.",
        "--read KEY 单独使用或与 --variant 一起用，--variant 要有 --read，--sha256 要有 --upload。",
    ),
    "held": Text(
        "--status, --commit and --discard take a receipt and stand alone; --decision goes with --commit.",
        "--status、--commit、--discard 后面是回执，单独使用；--decision 要有 --commit。",
    ),
    "no_file": Text("Cannot read {path}: {why}.", "无法读取 {path}：{why}。"),
    "not_there": Text("it does not exist", "它不存在"),
    "no_right": Text("it is no file, or not readable", "它不是文件，或没有读取权限"),
}

HELP = {
    "--url": Text(
        "address of the function: trigger or custom domain (FC 3.0)",
        "函数的地址：触发器或自定义域名（FC 3.0）",
    ),
    "--endpoint": Text(
        "https://<account>.<region>.fc.aliyuncs.com (FC 2.0)",
        "https://<账号>.<地域>.fc.aliyuncs.com（FC 2.0）",
    ),
    "--service": Text("name of the FC 2.0 service", "FC 2.0 服务的名字"),
    "--function": Text("name of the FC 2.0 function", "FC 2.0 函数的名字"),
    "--code": Text("a code of wx.login, to log in with", "wx.login 的 code，用来登录"),
    "--token": Text("a session token, or the business's own login token", "会话令牌，或业务自己的登录令牌"),
    "--profile": Text(
        "profile to ask for (default: the function's [default])", "要哪个用途（默认：函数的 [default]）"
    ),
    "--filename": Text(
        f"the user's name of the file (default: that of --upload, else {SOME_PICTURE})",
        f"用户的文件名（默认：--upload 的文件名，否则 {SOME_PICTURE}）",
    ),
    "--content-type": Text("its type (default: from the name)", "文件的类型（默认：由文件名决定）"),
    "--size": Text(
        "its size in bytes (default: that of --upload)", "文件的大小，字节（默认：--upload 的大小）"
    ),
    "--upload": Text(
        "upload this file with the form; from 5 MiB in parts where the profile takes them",
        "用表单上传这个文件；5 MiB 起，用途允许就分片上传",
    ),
    "--sha256": Text(
        "tell the digest of --upload: bytes that are there already are not sent again",
        "告诉函数 --upload 的摘要：已经存着的内容不再上传",
    ),
    "--read": Text("ask for an address of this object instead of a form", "不要表单，要这个对象的地址"),
    "--variant": Text("variant of the profile that --read asks for", "--read 要用途里的哪个 variant"),
    "--status": Text("ask where the object of this receipt stands", "询问这张回执的对象到了哪一步"),
    "--commit": Text(
        "commit the object of this receipt, with a backend token made from the secrets of --env-file",
        "提交这张回执的对象，后端令牌用 --env-file 里的密钥签",
    ),
    "--discard": Text("discard it, in the same way", "同样的办法，丢弃它"),
    "--features": Text(
        "ask only which features of the example mini-program the function lacks",
        "只问函数缺示例小程序的哪些功能",
    ),
    "--decision": Text("decide by hand what --commit does", "由人决定 --commit 做什么"),
}


def add_invoke_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    more: dict[str, dict[str, Any]] = {
        "--size": {"type": int},
        "--upload": {"type": Path, "metavar": "FILE"},
        "--sha256": {"action": "store_true"},
        "--read": {"metavar": "KEY"},
        "--variant": {"metavar": "NAME"},
        **{option: {"metavar": "RECEIPT"} for option in ("--status", "--commit", "--discard")},
        "--features": {"action": "store_true"},
        "--decision": {"choices": (PUBLISH, REJECT)},
    }
    for option, text in HELP.items():
        parser.add_argument(option, help=text.say(language), **more.get(option, {}))


def usage_problem(args: argparse.Namespace, language: str) -> str:
    """Return the problem of a combination of options; empty if there is none."""
    problem = _problem(args)
    return problem.say(language, **_values(args, language)) if problem else ""


def _problem(args: argparse.Namespace) -> Text | None:
    through_sdk = (args.endpoint, args.service, args.function)
    if bool(args.url) == any(through_sdk) or (any(through_sdk) and not all(through_sdk)):
        return WORDS["where"]
    match = re.fullmatch(ADDRESS_PATTERN, (args.url or args.endpoint).rstrip("/") + "/")
    if not match or match["query"]:
        return WORDS["bad_url"]
    if args.code and args.token:
        return WORDS["both"]
    if args.read and args.upload or args.variant and not args.read or args.sha256 and not args.upload:
        return WORDS["together"]
    about = [text for text in (args.status, args.commit, args.discard) if text]
    if len(about) > 1 or (about and (args.read or args.upload)) or (args.decision and not args.commit):
        return WORDS["held"]
    if args.upload and not (args.upload.is_file() and os.access(args.upload, os.R_OK)):
        return WORDS["no_file"]
    return None


def _values(args: argparse.Namespace, language: str) -> dict[str, object]:
    why = WORDS["no_right" if args.upload and args.upload.exists() else "not_there"].say(language)
    return {"option": "--url" if args.url else "--endpoint", "path": args.upload, "why": why}
