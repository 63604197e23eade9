"""
What the function says to its operator, in both languages: looked up in ``phrases.toml``, never read.
"""

import functools
import tomllib
from pathlib import Path

from function.config.messages import Message
from ops.terminal.language import Text, system_words

TABLE = Path(__file__).with_name("phrases.toml")


def in_both(phrase: Message) -> Text:
    return Text(str(phrase), _chinese(phrase))


def _chinese(phrase: Message) -> str:
    values = {name: _chinese_value(value) for name, value in phrase.values.items()}
    return chinese_templates()[phrase.template].format_map(values)


def _chinese_value(value: object) -> object:
    if isinstance(value, Message):
        return _chinese(value)
    return system_words(value).zh if isinstance(value, str) else value


@functools.cache
def chinese_templates() -> dict[str, str]:
    """Chinese by the English template of a phrase."""
    return tomllib.loads(TABLE.read_text("utf-8"))
