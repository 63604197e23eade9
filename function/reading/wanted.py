"""What a caller wants to read: the fields of a request, types checked, nothing else."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from function.config.key_template import MAX_KEY_BYTES
from function.errors import BadRequest

MAX_ITEMS = 50


class WantedUrl(NamedTuple):
    """One object, and the name of the variant of it; ``None`` for the object as it is."""

    key: str
    variant: str | None


def read_items(items: Any) -> list[WantedUrl]:
    """The list ``items`` of ``POST /read``; each refusal names its field."""
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_ITEMS:
        raise BadRequest(f"items must be a list of 1 to {MAX_ITEMS} objects.")
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise BadRequest(f"items[{index}] must be an object.")
    return [read_item(item, f"items[{index}].") for index, item in enumerate(items)]


def read_item(fields: Mapping[str, Any], where: str = "") -> WantedUrl:
    """
    The fields of one object's URL.

    Args:
        where: what stands before a field's name in a refusal, such as ``items[2].``.

    Raises:
        BadRequest: naming the field.
    """
    key, variant = fields.get("key"), fields.get("variant")
    # A half of a pair, which no text of UTF-8 has, is not counted wrong: it fits no template.
    if not isinstance(key, str) or not 0 < len(key.encode(errors="surrogatepass")) <= MAX_KEY_BYTES:
        raise BadRequest(f"{where}key must be a text of 1 to {MAX_KEY_BYTES} bytes.")
    if variant is not None and not isinstance(variant, str):
        raise BadRequest(f"{where}variant must be a text.")
    return WantedUrl(key, variant)
