"""Texts for operators that can be translated: a template and its values (``Message``)."""

from collections.abc import Mapping


class Message(str):
    """
    English text that keeps its template and values, so that it can be translated.

    Args:
        values: of the ``str.format`` fields; a ``Message`` among them is translated too.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> "Message":
        message = super().__new__(cls, template.format_map(values))
        message.template, message.values = template, values
        return message
