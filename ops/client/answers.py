"""
Responses of the function and OSS, shown without secrets; errors are explained.
"""

import json
from datetime import UTC, datetime
from typing import Any

from ops.client.claims import read_claims
from ops.client.features import code_of
from ops.client.function_client import FunctionAnswer
from ops.explain.explanation import explain
from ops.explain.pasted import Unreadable
from ops.terminal.language import Text
from ops.terminal.masking import printable, shown
from ops.terminal.screen import Screen

REFUSED = Text("The function answered {status}.", "函数返回 {status}。")
NOT_OURS = Text(
    "That answer does not come from this function: check the address and its path.",
    "这不是本函数的响应：请检查地址与路径。",
)
RECEIPT = Text("receipt (hand it to the business backend)", "回执（交给业务后端）")
CLAIMS = Text("it says", "内容")


class InvokeFailed(Exception):
    """
    Raised when a step went wrong; the message is ready to print.

    Args:
        code: of the function's refusal, if it is one.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


def checked(answer: FunctionAnswer, language: str) -> dict[str, Any]:
    """
    The JSON object of a success.

    Raises:
        InvokeFailed: it is none, with the explanation.
    """
    if answer.status == 200 and answer.json:
        return answer.json
    refused = REFUSED.say(language, status=answer.status)
    try:
        said = refused + "\n" + explain(answer.text, datetime.now(UTC), language)
        raise InvokeFailed(said, code_of(answer))
    except Unreadable:
        raise InvokeFailed(refused + "\n" + NOT_OURS.say(language)) from None


def explained(text: str, language: str) -> str:
    """
    Explain a response.

    Raises:
        InvokeFailed: nobody can tell.
    """
    try:
        return explain(text, datetime.now(UTC), language)
    except Unreadable as error:
        raise InvokeFailed(error.sentence.say(language)) from None


def show_receipt(text: str, screen: Screen, language: str) -> None:
    """An answer that may hold a receipt: of a callback, of /confirm, or instead of a form."""
    try:
        told = json.loads(text or "{}")
    except (ValueError, RecursionError):
        told = {}
    if not isinstance(told, dict) or not told:
        return
    screen.pairs({name: shown(name, value, language) for name, value in told.items() if name != "receipt"})
    receipt = told.get("receipt")
    if isinstance(receipt, str):
        screen.line(f"    {RECEIPT.say(language)}:")
        screen.line(printable(receipt))
        screen.line(f"    {CLAIMS.say(language)}: {printable(json.dumps(read_claims(receipt)))}")
