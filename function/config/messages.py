"""What the operator is told, as English that another language can be made of."""

from collections.abc import Mapping


class Message(str):
    """
    English for the operator that keeps what it was made of, so that it can be said in another language.

    Args:
        template: with ``str.format`` fields.

        values: what the fields hold; a phrase among them is said in that language as well.
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, **values: object) -> "Message":
        phrase = super().__new__(cls, template.format_map(values))
        phrase.template, phrase.values = template, values
        return phrase
