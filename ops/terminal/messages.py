"""Chinese twins of the function's operator messages, from ``messages.toml``."""

import functools
import tomllib
from pathlib import Path

from function.messages import Message
from ops.terminal.language import Text, system_words

TABLE = Path(__file__).with_name("messages.toml")


def in_both(message: Message) -> Text:
    return Text(str(message), _chinese(message))


def _chinese(message: Message) -> str:
    values = {name: _chinese_value(value) for name, value in message.values.items()}
    return chinese_templates()[message.template].format_map(values)


def _chinese_value(value: object) -> object:
    if isinstance(value, Message):
        return _chinese(value)
    return system_words(value).zh if isinstance(value, str) else value


@functools.cache
def chinese_templates() -> dict[str, str]:
    """Chinese template by English template."""
    return tomllib.loads(TABLE.read_text("utf-8"))
