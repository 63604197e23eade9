"""An oracle for key templates: reads a key character by character, without a regular expression."""

import string
from collections.abc import Iterator, Mapping

LOWER_HEX = set("0123456789abcdef")
BASE32 = set("abcdefghijklmnopqrstuvwxyz234567")
ID = set(string.ascii_letters + string.digits + "_-")
EXTENSION = set(string.ascii_lowercase + string.digits)
MONTHS = {f"{number:02}" for number in range(1, 13)}
DAYS = {f"{number:02}" for number in range(1, 32)}


def read(template: str, key: str) -> dict[str, str] | None:
    """What the placeholders of the template are in this key; ``None`` when it cannot have made it."""
    return next(_readings(list(_steps(template)), key, {}), None)


def _steps(template: str) -> Iterator[tuple[bool, str]]:
    """Text to be found as it is, and (true) placeholders."""
    while template:
        text, brace, rest = template.partition("{")
        yield False, text
        name, _, template = rest.partition("}")
        if brace:
            yield True, name


def _readings(steps: list[tuple[bool, str]], left: str, found: Mapping[str, str]) -> Iterator[dict[str, str]]:
    if not steps:
        if not left:
            yield dict(found)
        return
    (is_placeholder, text), *later = steps
    if not is_placeholder:
        if left[: len(text)] == text:
            yield from _readings(later, left[len(text) :], found)
        return
    for length in range(len(left) + 1):
        part = left[:length]
        if found.get(text, part) == part and _may_be(text, part):
            yield from _readings(later, left[length:], {**found, text: part})


def _may_be(placeholder: str, part: str) -> bool:
    match placeholder:
        case "owner":
            return part == "public" or (len(part) == 26 and set(part) <= BASE32)
        case "yyyy":
            return len(part) == 4 and set(part) <= set(string.digits)
        case "mm":
            return part in MONTHS
        case "dd":
            return part in DAYS
        case "id":
            return len(part) == 22 and set(part) <= ID
        case "ext":
            return part == "" or (part[0] == "." and 1 <= len(part) - 1 <= 10 and set(part[1:]) <= EXTENSION)
        case "sha256":
            return len(part) == 64 and set(part) <= LOWER_HEX
        case "filename":
            return part != "" and "/" not in part
    raise ValueError(placeholder)
