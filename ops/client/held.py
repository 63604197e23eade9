"""
Status, commit and discard of held objects, as a business backend calls them.
"""

import argparse
import json
import os
from datetime import UTC, datetime, timedelta

from function.auth.backend import AUDIENCE
from function.auth.tokens import issue_token
from function.config.types import SECRETS
from ops.client.answers import checked, explained
from ops.client.function_client import FunctionClient
from ops.deploy.operator_env import operator_environment
from ops.terminal.language import Failure, Text
from ops.terminal.screen import Screen

ROUTES = {
    "status": Text("Asking where it stands (/status)", "询问它到了哪一步（/status）"),
    "commit": Text("Committing it (/commit)", "提交（/commit）"),
    "discard": Text("Discarding it (/discard)", "丢弃（/discard）"),
}
NO_SECRET = Text(
    "A backend's token needs RECEIPT_SECRET, or TOKEN_SECRET, of the function in {path};"
    " an owner's is given with --token.",
    "后端令牌需要 {path} 里函数的 RECEIPT_SECRET 或 TOKEN_SECRET；上传者自己的令牌用 --token 给出。",
)
TOKEN_LIFE = timedelta(minutes=5)


def receipt_in(args: argparse.Namespace) -> tuple[str, str] | None:
    """The route that is asked, and the receipt that it is asked about."""
    return next(((route, text) for route in ROUTES if (text := getattr(args, route))), None)


def ask_about(
    client: FunctionClient, args: argparse.Namespace, token: str, screen: Screen, language: str
) -> None:
    """
    Ask for what the options say about one receipt, and show what it means.

    Args:
        token: an owner's; without one, a backend's is made.

    Raises:
        Failure: there is no secret to make one with.

        InvokeFailed: the function refuses it, with the explanation.
    """
    route, receipt = receipt_in(args) or ("status", "")
    screen.title(ROUTES[route].say(language))
    body = {"receipt": receipt, **({"decision": args.decision} if args.decision else {})}
    if route != "status":
        token = token or backend_token(args)
    answer = checked(client.ask(route, body, token), language)
    for line in explained(json.dumps(answer), language).splitlines():
        screen.line("    " + line)


def backend_token(args: argparse.Namespace) -> str:
    """A token that lives five minutes, signed as the function's backend does."""
    environ = operator_environment(args.env_file, os.environ)
    text = environ.get("RECEIPT_SECRET", "").strip() or environ.get("TOKEN_SECRET", "").strip()
    try:
        secrets = SECRETS.read(text)
    except ValueError:
        secrets = ()
    if not secrets:
        raise Failure(Text(*(said.format(path=args.env_file) for said in (NO_SECRET.en, NO_SECRET.zh))))
    return issue_token({}, audience=AUDIENCE, secrets=secrets, now=datetime.now(UTC), life=TOKEN_LIFE)
