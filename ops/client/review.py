"""
Review what waits for a human, on a page of this machine: one object at a time, decided by a key.

The page shows what /reviews of the deployed function lists. Each decision goes to /commit with the name of
the reviewer, and is kept with it; several people may review at once, each with this command. The token of a
backend is signed here, with RECEIPT_SECRET (else TOKEN_SECRET) of .env, and never reaches the page.
"""

import argparse
import os
import secrets
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from function.auth.business_token import AUDIENCE
from function.auth.signed_tokens import issue_token
from function.config.types import SECRETS
from ops.client.features import code_of
from ops.client.form_upload import Answer
from ops.client.function_client import FunctionAtUrl, checked
from ops.client.review_server import ReviewServer
from ops.deploy.callers import CALLER, caller_called
from ops.deploy.operator_env import add_env_argument, operator_environment
from ops.explain.advice import find_advice
from ops.terminal.language import (
    LANGUAGES,
    Failure,
    Text,
    add_language_argument,
    chosen_language,
)
from ops.terminal.screen import Screen

# Or the next one that is free.
DEFAULT_PORT = 9090
TOKEN_LIFE = timedelta(minutes=5)
MAX_NAME = 64
TOKEN_BYTES = 24
# What another reviewer, or the owner, has done in the meantime.
TOO_LATE = ("already_published", "not_uploaded")

SUMMARY = Text("review what waits for a human, in a browser", "在浏览器里人工审核")
ABOUT = Text(
    __doc__,
    "在本机的网页上人工审核：一次看一个，按一个键决定。\n\n"
    "网页显示已部署函数的 /reviews 列出的内容。每个决定连同审核人的名字发给 /commit，并一起保存；可以几个人"
    "同时审核，各自运行本命令。后端令牌在这里用 .env 里的 RECEIPT_SECRET（没有就用 TOKEN_SECRET）签发，"
    "不会到网页里。",
)
URL = Text("address of the function", "函数的地址")
REVIEWER = Text("name that is kept with each decision", "每个决定都会记下的名字")
NO_SECRET = Text(
    "A backend's token needs RECEIPT_SECRET, or TOKEN_SECRET, of the function in {path}.",
    "后端令牌需要 {path} 里函数的 RECEIPT_SECRET 或 TOKEN_SECRET。",
)
NEEDS_NAME = Text(
    "Name the reviewer with --reviewer: 1 to 64 characters.", "请用 --reviewer 写明审核人：1 到 64 个字符。"
)
OPEN = Text("Open this address in a browser of this machine:", "请用本机的浏览器打开：")
HOW_TO_END = Text(
    "Whoever has it can decide in your name. Ctrl-C ends it.",
    "拿到这个地址的人可以用你的名字做决定。按 Ctrl-C 结束。",
)


class Desk:
    """What the page asks of the function, with a backend's token; each decision keeps the reviewer."""

    def __init__(self, client: FunctionAtUrl, args: argparse.Namespace, reviewer: str) -> None:
        self._client = client
        self._args = args
        self._reviewer = reviewer
        environ = operator_environment(args.env_file, os.environ)
        self._caller = caller_called(args.caller, environ)[0] if args.caller else ""

    def items(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return a page of the list, and the reviewer; or ``{"error"}``, a sentence."""
        cursor = fields.get("cursor")
        listed = self._said("reviews", {"cursor": cursor} if isinstance(cursor, str) else {}, fields)
        if "error" in listed:
            return listed
        shown = [item for item in listed["items"] if self._caller in ("", item.get("caller"))]
        return {**listed, "items": shown, "reviewer": self._reviewer}

    def decide(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return what /commit said of a decision: ``{"state", "decision", …}``, perhaps another's."""
        named = {name: fields.get(name) for name in ("receipt", "decision")}
        if "aiLabel" in fields:
            named["aiLabel"] = fields["aiLabel"]
        said = self._said("commit", {**named, "reviewer": self._reviewer}, fields)
        if said.get("code") not in TOO_LATE:
            return said
        latest = self._said("status", {"receipt": named["receipt"]}, fields)
        return said if "error" in latest else latest

    def _said(self, route: str, body: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
        language = fields.get("language")
        language = language if language in LANGUAGES else LANGUAGES[0]
        try:
            answer = self.ask(route, body)
            code = code_of(answer)
            # What ``explain`` adds is for an operator.
            if advice := find_advice(code) if code else None:
                sentences = (advice.meaning.say(language), advice.remedy.say(language))
                return {"error": "\n".join(sentences), "code": code}
            return checked(answer)
        except Failure as error:
            return {"error": error.said.say(language)}

    def ask(self, route: str, body: Mapping[str, Any]) -> Answer:
        """Ask with a token of five minutes, as a backend signs it; raise ``Failure`` without a secret."""
        environ = operator_environment(self._args.env_file, os.environ)
        text = environ.get("RECEIPT_SECRET", "").strip() or environ.get("TOKEN_SECRET", "").strip()
        try:
            keys = SECRETS.read(text)
        except ValueError:
            raise Failure(NO_SECRET.filled(path=self._args.env_file)) from None
        now = datetime.now(UTC)
        return self._client.ask(
            route, body, issue_token({}, audience=AUDIENCE, secrets=keys, now=now, life=TOKEN_LIFE)
        )


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("--url", required=True, help=URL.say(language))
    parser.add_argument("--reviewer", required=True, metavar="NAME", help=REVIEWER.say(language))
    parser.add_argument("--caller", default="", metavar="NAME", help=CALLER.say(language))
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language, screen = chosen_language(args.lang), Screen()
    desk = Desk(FunctionAtUrl(args.url), args, _reviewer(args.reviewer))
    # What is wrong with address, secret or function is better said before a page is opened.
    checked(desk.ask("reviews", {"limit": 1}))
    actions = {"/items.json": desk.items, "/decision.json": desk.decide}
    server = ReviewServer(secrets.token_urlsafe(TOKEN_BYTES), actions, DEFAULT_PORT)
    server.start()
    try:
        screen.line(OPEN.say(language))
        screen.line(f"    {server.address}")
        screen.line(HOW_TO_END.say(language))
        wait_for_the_end()
    finally:
        server.stop()
    return 0


def wait_for_the_end() -> None:
    """Wait for Ctrl-C."""
    threading.Event().wait()


def _reviewer(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME or any(not each.isprintable() and each != "\u200d" for each in name):
        raise Failure(NEEDS_NAME)
    return name
