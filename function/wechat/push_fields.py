"""
Messages of the push, in JSON or XML: read leniently, because WeChat's own samples have slips.

The XML has elements and text alone: no entities, document types, comments or attributes.
"""

import re

from function.annotations import Any
from function.http.json_body import object_in

DECLARATION = r"\s*(<\?xml[^<>]*\?>)?"
# A tag may have blanks before its name; no two of these repetitions can take the same character.
XML_TOKEN = r"(?s)<!\[CDATA\[(.*?)\]\]>|<\s*(?:(/)\s*)?([A-Za-z_][\w.-]*)\s*(/?)>|([^<]+)"
# A verdict has three levels.
MAX_LEVELS = 8


def fields_of(message: bytes) -> dict[str, Any] | None:
    """Return the fields of a message, names and texts trimmed; ``None`` if it is neither JSON nor XML."""
    if message.lstrip().startswith(b"<"):
        fields = _xml_fields(message.decode("utf-8", "replace"))
    else:
        fields = object_in(message)
        # A comma after the last field.
        fields = object_in(re.sub(rb",(\s*[}\]])", rb"\1", message)) if fields is None else fields
    if fields is None:
        return None
    return {name.strip(): text.strip() if isinstance(text, str) else text for name, text in fields.items()}


def _xml_fields(text: str) -> dict[str, Any] | None:
    """Return what is in the root; an element that is repeated is a list."""
    token, position = re.compile(XML_TOKEN), len(re.match(DECLARATION, text)[0])  # type: ignore[index]
    # Name, children and text of each element that is open; the first one stands for the document.
    opened: list[tuple[str, dict[str, list[Any]], list[str]]] = [("", {}, [])]
    while position < len(text):
        match = token.match(text, position)
        if match is None or len(opened) > MAX_LEVELS:
            return None
        position = match.end()
        cdata, closes, name, is_empty, plain = match.groups()
        if name is None:
            opened[-1][2].append(plain if cdata is None else cdata)
            continue
        if not closes:
            opened.append((name, {}, []))
        if closes or is_empty:
            expected, children, texts = opened.pop()
            if name != expected:
                return None
            value = {each: found[0] if len(found) == 1 else found for each, found in children.items()}
            opened[-1][1].setdefault(name, []).append(value or "".join(texts).strip())
    root = opened.pop()[1].get("xml", [])
    return root[0] if not opened and len(root) == 1 and isinstance(root[0], dict) else None
