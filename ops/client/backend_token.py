"""Backend tokens, signed with the operator's secret."""

import argparse
import os
from datetime import UTC, datetime, timedelta

from function.auth.business_token import AUDIENCE
from function.auth.signed_tokens import issue_token
from function.config.types import SECRETS
from ops.deploy.operator_env import operator_environment
from ops.terminal.language import Failure, Text

NO_SECRET = Text(
    "A backend's token needs RECEIPT_SECRET, or TOKEN_SECRET, of the function in {path}.",
    "后端令牌需要 {path} 里函数的 RECEIPT_SECRET 或 TOKEN_SECRET。",
)
TOKEN_LIFE = timedelta(minutes=5)


def backend_token(args: argparse.Namespace) -> str:
    """
    Return a token that lives five minutes, signed as the function's backend does.

    Raises:
        Failure: the environment file holds no secret to sign with.
    """
    environ = operator_environment(args.env_file, os.environ)
    text = environ.get("RECEIPT_SECRET", "").strip() or environ.get("TOKEN_SECRET", "").strip()
    try:
        secrets = SECRETS.read(text)
    except ValueError:
        secrets = ()
    if not secrets:
        raise Failure(Text(*(said.format(path=args.env_file) for said in (NO_SECRET.en, NO_SECRET.zh))))
    return issue_token({}, audience=AUDIENCE, secrets=secrets, now=datetime.now(UTC), life=TOKEN_LIFE)
