"""
Pages of a listing: what is left of the keys behind a marker, with those that share a prefix taken together.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar
from urllib.parse import quote

from local.oss import errors
from local.oss.errors import invalid_argument
from local.oss.rules import OssRules

Item = TypeVar("Item")


@dataclass
class Page(Generic[Item]):
    """
    Args:
        last: key or common prefix of the last entry; the next page begins behind it.
    """

    items: list[Item] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str = ""
    is_truncated: bool = False

    def __len__(self) -> int:
        return len(self.items) + len(self.prefixes)


def cut(
    items: Iterable[Item],
    key_of: Callable[[Item], str],
    most: int,
    *,
    prefix: str,
    delimiter: str,
    before: str = "",
) -> Page[Item]:
    """
    Args:
        items: in order, behind the marker; all begin with the prefix.

        before: where the page before ended; a common prefix is not told twice.
    """
    page: Page[Item] = Page()
    for item in items:
        key = key_of(item)
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        common = key[: end + len(delimiter)] if end >= 0 else ""
        if common and common in (before, page.last):
            continue
        if len(page) == most:
            page.is_truncated = most > 0
            break
        if common:
            page.prefixes.append(common)
        else:
            page.items.append(item)
        page.last = common or key
    return page


def page_size(query: Mapping[str, str], name: str, default: int, rules: OssRules, least: int = 1) -> int:
    """
    Read how many entries a page may hold.

    Raises:
        OssError: no number, or out of range.
    """
    text = query.get(name, str(default))
    least = 0 if rules.empty_pages_allowed else least
    if not re.fullmatch("[0-9]{1,10}", text) or not least <= int(text) <= 1000:
        message = f"{name} is not a number from {least} to 1000."
        raise invalid_argument(message, errors.NO_PUBLIC_EC, name, text)
    return min(int(text), rules.longest_page)


def short_text(query: Mapping[str, str], name: str) -> str:
    """
    Read a prefix, marker or delimiter.

    Raises:
        OssError: 1,024 bytes or more.
    """
    text = query.get(name, "")
    if len(text.encode()) >= 1024:
        raise invalid_argument(f"The {name} is too long.", errors.NO_PUBLIC_EC, name, text)
    return text


def writer(query: Mapping[str, str], name: str = "encoding-type") -> Callable[[str], str]:
    """
    How keys are written in an answer: percent-encoded on request.

    Raises:
        OssError: an ``encoding-type`` other than ``url``.
    """
    encoding = query.get(name)
    if encoding not in (None, "url"):
        raise invalid_argument("Invalid Encoding Method specified in Request", errors.NO_PUBLIC_EC, name)
    return str if encoding is None else lambda text: quote(text, safe="")


def instant(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def truth(value: bool) -> str:
    return "true" if value else "false"
