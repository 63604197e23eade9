"""Showing values of forms and errors on a terminal without their secrets or control characters."""

import json
import re

from ops.terminal.language import Text

# The callback parameter holds the upload's ticket.
SECRET_FIELD = re.compile(
    r"token|secret|signature$|ticket|authorization|password|receipt|session_key|^callback$|^policy$", re.I
)
LONGEST_SHOWN = 300
LENGTH = Text("… ({count} characters)", "…（{count} 个字符）")
SHOWN_OF_A_SECRET = 4
# Longer than any key this project makes, shorter than any security token.
LONG_RUN = re.compile(r"[A-Za-z0-9+/=_%-]{100,}")
FAILED_CONDITION = re.compile(r"\[.*\]", re.DOTALL)


def printable(text: str) -> str:
    """The text with everything replaced that could move the cursor or reorder the line."""
    return "".join(mark if mark.isprintable() else "\N{REPLACEMENT CHARACTER}" for mark in text)


def shown(field: str, value: object, language: str = "en") -> str:
    """A field's value as it may be printed: of a secret no more than its start and its length."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if SECRET_FIELD.search(field.lstrip("$")) and text:
        return _start_of(text, language)
    return printable(text) if len(text) <= LONGEST_SHOWN else _start_of(text, language, 60)


def shown_message(message: str, language: str = "en") -> str:
    """
    The message of an error as it may be printed.

    OSS quotes the condition that failed, with the security token when that is what it was about.
    """
    match = FAILED_CONDITION.search(message)
    if match:
        message = message.replace(match[0], _shown_condition(match[0], language))
    elif re.search(r"\$x-oss-(security-token|signature)\W", message, re.I):
        message = re.split(r"\[", message, maxsplit=1)[0] + "[…]"
    return printable(LONG_RUN.sub(lambda run: _start_of(run[0], language), message))[:1000]


def failed_condition(message: str) -> list[object] | None:
    """The condition that OSS quotes in its message, or ``None``."""
    match = FAILED_CONDITION.search(message)
    return _condition(match[0]) if match and "condition failed" in message.lower() else None


def _condition(text: str) -> list[object] | None:
    try:
        condition = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return condition if isinstance(condition, list) and len(condition) > 1 else None


def _shown_condition(text: str, language: str) -> str:
    condition = _condition(text)
    if condition is None:
        return "[…]"
    values = [shown(str(condition[1]), value, language) for value in condition[2:]]
    return json.dumps([*map(str, condition[:2]), *values], ensure_ascii=False)


def shortened(text: str, characters: int, language: str) -> str:
    """Its start and its length."""
    return printable(text[:characters]) + LENGTH.say(language, count=len(text))


def _start_of(text: str, language: str, characters: int = SHOWN_OF_A_SECRET) -> str:
    return shortened(text, min(characters, len(text) // 4), language)
