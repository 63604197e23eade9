"""
Call a deployed function as a client would: log in, ask for a form, and upload a file with it.

At an address of FC 3.0 (--url), or through FC 2.0's SDK (--endpoint, --service, --function, with the keys
in ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET).
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from function.config.content_types import TYPE_OF_EXTENSION
from ops.account.operator_keys import operator_keys
from ops.client.after_upload import confirm, read
from ops.client.answers import NOT_OURS, InvokeFailed, checked, explained, show_receipt
from ops.client.features import CODES, lacking_features
from ops.client.form_upload import UploadFailed, post_form
from ops.client.function_client import (
    FunctionAtUrl,
    FunctionClient,
    FunctionSilent,
    FunctionThroughSdk,
)
from ops.client.held import ask_about, receipt_in
from ops.client.invoke_options import SOME_PICTURE, add_invoke_arguments, usage_problem
from ops.client.parts_upload import PARTS_FROM, LargeFile
from ops.client.progress import progress_bar
from ops.client.unfinished import record_of
from ops.deploy.operator_env import add_env_argument, operator_environment
from ops.explain.parser import read_pasted
from ops.explain.pasted import PastedForm
from ops.explain.policy import size_words
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language
from ops.terminal.masking import shown
from ops.terminal.screen import Screen

SUMMARY = Text("call a deployed function and upload a file through it", "调用已部署的函数，并通过它上传文件")
ABOUT = Text(
    __doc__,
    "像客户端那样调用已部署的函数：登录，要一份表单，用它上传文件。\n\n"
    "用 FC 3.0 的地址（--url），或经 FC 2.0 的 SDK（--endpoint、--service、--function，密钥在"
    " ALIBABA_CLOUD_ACCESS_KEY_ID 与 ALIBABA_CLOUD_ACCESS_KEY_SECRET）。",
)

WORDS = {
    "features": Text("Features of the example mini-program", "示例小程序的功能"),
    "all": Text("nothing is lacking", "一样不缺"),
    "login": Text("Logging in with the code", "用 code 登录"),
    "logged_in": Text("logged in for {seconds} s", "已登录，有效 {seconds} 秒"),
    "form": Text("Asking for a form", "获取表单"),
    "upload": Text("Uploading {name}, {size}, to {host}", "上传 {name}（{size}）到 {host}"),
    "stored": Text("uploaded: {url}", "已上传：{url}"),
    "reach": Text(
        "Check the address, the network and the proxy variables (HTTPS_PROXY).",
        "请检查地址、网络与代理变量（HTTPS_PROXY）。",
    ),
    "failed": Text("The upload was refused.", "上传被拒绝。"),
    "many": Text("The answer holds no form to upload with.", "返回值中没有可用于上传的表单。"),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    add_invoke_arguments(parser, language)
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    screen, complaints = Screen(), Screen(sys.stderr)
    if problem := usage_problem(args, language):
        complaints.fail(problem)
        return 2
    token = args.token or ""
    try:
        client = _client(args)
        large = _large_file(client, args, screen, language)
        # With its ticket, for which no login is needed: a code is good once.
        if large and large.go_on():
            return 0
        token = token or (log_in(client, args.code, screen, language) if args.code else "")
        if args.features:
            show_features(client, token, screen, language)
            return 0
        if large and large.begin(token):
            return 0
        if receipt_in(args):
            ask_about(client, args, token, screen, language)
            return 0
        if args.read:
            read(client, args.read, args.variant, token, screen, language)
            return 0
        answer = _ask_for_form(client, args, token, screen, language)
        if args.upload:
            _upload(client, answer, args, screen, language)
    except (FunctionSilent, UploadFailed) as error:
        complaints.fail_with(error, language)
        complaints.line("    → " + WORDS["reach"].say(language))
        return 1
    except Failure as error:
        complaints.fail_with(error, language)
        return 2
    except InvokeFailed as error:
        complaints.fail(str(error))
        if error.code in CODES:
            show_features(client, token, complaints, language)
        return 1
    return 0


def show_features(client: FunctionClient, token: str, screen: Screen, language: str) -> None:
    """Print a line for each feature of the example that the function lacks."""
    lacking = lacking_features(client, token)
    screen.title(WORDS["features"].say(language))
    for sentence in lacking or [WORDS["all"]]:
        screen.line("    " + sentence.say(language))


def _client(args: argparse.Namespace) -> FunctionClient:
    if args.url:
        return FunctionAtUrl(args.url)
    keys = operator_keys(operator_environment(args.env_file, os.environ))
    return FunctionThroughSdk(args.endpoint, args.service, args.function, keys)


def log_in(client: FunctionClient, code: str, screen: Screen, language: str) -> str:
    """
    Return the session token of a login.

    Raises:
        InvokeFailed: the function refuses it, with the explanation.
    """
    screen.title(WORDS["login"].say(language))
    answer = checked(client.ask("login", {"code": code}, ""), language)
    token, seconds = answer.get("token"), answer.get("expiresIn")
    if not isinstance(token, str):
        raise InvokeFailed(NOT_OURS.say(language))
    screen.good(WORDS["logged_in"].say(language, seconds=shown("expiresIn", seconds, language)))
    return token


def _large_file(
    client: FunctionClient, args: argparse.Namespace, screen: Screen, language: str
) -> LargeFile | None:
    """Return the multipart upload of a large file; ``None`` for a smaller one."""
    if not args.upload or args.sha256 or args.size is not None or args.upload.stat().st_size < PARTS_FROM:
        return None
    place = args.url or f"{args.endpoint} {args.service} {args.function}"
    wanted = _wanted(args)
    record = record_of(args.upload, wanted, place, os.environ)
    return LargeFile(client, args.upload, wanted, record, screen, language)


def _ask_for_form(
    client: FunctionClient, args: argparse.Namespace, token: str, screen: Screen, language: str
) -> dict[str, Any]:
    screen.title(WORDS["form"].say(language))
    body = _wanted(args)
    answer = checked(client.ask("upload-params", body, token), language)
    for line in explained(json.dumps(answer), language).splitlines():
        screen.line("    " + line)
    return answer


def _wanted(args: argparse.Namespace) -> dict[str, Any]:
    """Return the request fields of the given options."""
    wanted: dict[str, Any] = {"profile": args.profile, "filename": args.filename, "size": args.size}
    wanted["contentType"] = args.content_type
    if args.upload:
        wanted["filename"] = args.filename or args.upload.name
        wanted["size"] = args.upload.stat().st_size if args.size is None else args.size
    if args.sha256:
        with args.upload.open("rb") as file:
            wanted["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    if not (wanted["filename"] or wanted["contentType"]):
        wanted["filename"] = SOME_PICTURE
    return {name: value for name, value in wanted.items() if value is not None}


def _upload(
    client: FunctionClient, answer: dict[str, Any], args: argparse.Namespace, screen: Screen, language: str
) -> None:
    if answer.get("exists") is True:
        show_receipt(json.dumps(answer), screen, language)
        return
    form = read_pasted(json.dumps(answer))[0]
    if not isinstance(form, PastedForm):
        raise InvokeFailed(WORDS["many"].say(language))
    path: Path = args.upload
    fields = dict(form.fields)
    if form.folder is not None:
        fields = {"key": form.folder + path.name, "success_action_status": "200", **fields}
    size = path.stat().st_size
    screen.title(
        WORDS["upload"].say(
            language, name=path.name, size=size_words(size, language), host=shown("url", form.url, language)
        )
    )
    kind = args.content_type or TYPE_OF_EXTENSION.get(path.suffix.lower().lstrip("."))
    with path.open("rb") as file:
        result = post_form(
            form.url,
            fields,
            file,
            size,
            filename=path.name,
            content_type=kind or "application/octet-stream",
            progress=progress_bar(sys.stderr.isatty()),
        )
    ticket = answer.get("ticket")
    # Only the status agreed on counts: 203 is an upload whose callback failed; it is there all the same.
    if result.status == 203 and isinstance(ticket, str):
        confirm(client, ticket, screen, language)
    if result.status != 200:
        head = f"HTTP/1.1 {result.status}\nx-oss-ec: {result.headers.get('x-oss-ec', '')}\n\n"
        raise InvokeFailed(WORDS["failed"].say(language) + "\n" + explained(head + result.text, language))
    stored_at = answer.get("fileUrl") or f"{form.url}/{fields.get('key', '')}"
    screen.good(WORDS["stored"].say(language, url=shown("fileUrl", stored_at, language)))
    show_receipt(result.text, screen, language)
    if isinstance(ticket, str):
        confirm(client, ticket, screen, language)
