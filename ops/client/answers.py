"""Responses of the function; errors are explained."""

from datetime import UTC, datetime
from typing import Any

from ops.client.function_client import FunctionAnswer
from ops.explain.explanation import explain
from ops.explain.pasted import Unreadable
from ops.terminal.language import Text

REFUSED = Text("The function answered {status}.", "函数返回 {status}。")
NOT_OURS = Text(
    "That answer does not come from this function: check the address and its path.",
    "这不是本函数的响应：请检查地址与路径。",
)


class InvokeFailed(Exception):
    """Raised when the function refuses; the message is ready to print."""


def checked(answer: FunctionAnswer, language: str) -> dict[str, Any]:
    """
    Return the JSON object of a success.

    Raises:
        InvokeFailed: the response is an error, with its explanation.
    """
    if answer.status == 200 and answer.json:
        return answer.json
    refused = REFUSED.say(language, status=answer.status)
    try:
        said = refused + "\n" + explain(answer.text, datetime.now(UTC), language)
        raise InvokeFailed(said)
    except Unreadable:
        raise InvokeFailed(refused + "\n" + NOT_OURS.say(language)) from None
