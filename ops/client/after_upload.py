"""
Steps after an upload: confirm it and read it.
"""

import json

from ops.client.answers import NOT_OURS, InvokeFailed, checked, explained, show_receipt
from ops.client.function_client import FunctionClient
from ops.terminal.language import Text
from ops.terminal.masking import printable
from ops.terminal.screen import Screen

CONFIRMING = Text("Asking what OSS has (/confirm)", "询问 OSS 存了什么（/confirm）")
READING = Text("Asking for an address of {key} (/read)", "获取 {key} 的地址（/read）")


def confirm(client: FunctionClient, ticket: str, screen: Screen, language: str) -> None:
    """
    A ticket for a receipt, which is shown.

    Raises:
        InvokeFailed: the function refuses it, with the explanation.
    """
    screen.title(CONFIRMING.say(language))
    show_receipt(
        json.dumps(checked(client.ask("confirm", {"ticket": ticket}, ""), language)), screen, language
    )


def read(
    client: FunctionClient, key: str, variant: str | None, token: str, screen: Screen, language: str
) -> None:
    """
    The address that /read gives, whole on a line of its own, and what it means.

    Raises:
        InvokeFailed: the function refuses it, with the explanation.
    """
    screen.title(READING.say(language, key=printable(key)))
    body = {"key": key, **({"variant": variant} if variant else {})}
    answer = checked(client.ask("read", body, token), language)
    url = answer.get("url")
    if not isinstance(url, str):
        raise InvokeFailed(NOT_OURS.say(language))
    for line in explained(json.dumps(answer), language).splitlines():
        screen.line("    " + line)
    screen.line(printable(url))
