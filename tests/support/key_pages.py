"""Keys of a bucket in byte order, and the pages that OSS lists them in."""

from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from typing import TypeVar
from urllib.parse import quote

Value = TypeVar("Value")
# Beyond so many deleted or new keys the index is made again.
MOST_DEAD, FEW = 5000, 50


class Sorted(dict[str, Value]):
    """A dictionary that also gives its keys in byte order, quickly for 100,000; set by ``[key] =`` alone."""

    def __init__(self) -> None:
        super().__init__()
        self._index: list[str] = []
        self._new: set[str] = set()

    def __setitem__(self, key: str, value: Value) -> None:
        if key not in self:
            self._new.add(key)
        super().__setitem__(key, value)

    def after(self, prefix: str, last: str, including: bool = False) -> Iterator[str]:
        """
        Args:
            last: keys up to this one are left out; ``including`` leaves out those before it alone.
        """
        index = self._packed()
        begin = bisect_left(index, prefix)
        begin = max(begin, bisect_left(index, last) if including else bisect_right(index, last))
        for at in range(begin, len(index)):
            if not index[at].startswith(prefix):
                return
            if index[at] in self:
                yield index[at]

    def _packed(self) -> list[str]:
        # The code points of Python's order are in the order of UTF-8's bytes.
        if len(self._new) > FEW or len(self._index) > len(self) + MOST_DEAD:
            self._index = sorted(self)
        else:
            for key in self._new:
                at = bisect_left(self._index, key)
                if self._index[at : at + 1] != [key]:
                    self._index.insert(at, key)
        self._new.clear()
        return self._index


def encoded(text: str) -> str:
    return quote(text, safe="")


def token_of(prefix: str, last: str) -> str:
    """What lists on from there: of this prefix alone, and nothing that goes into XML or a URL as it is."""
    return b64encode(f"{len(prefix)}:{prefix}{last}".encode()).decode()


def last_of(token: str, prefix: str) -> str | None:
    """The key where a page ended; ``None`` for another prefix's token, or for none of ours."""
    try:
        length, _, rest = b64decode(token, validate=True).decode().partition(":")
        if (size := int(length)) == len(prefix) and rest.startswith(prefix):
            return rest[size:]
    except ValueError:
        pass
    return None


def xml_of(**elements: object) -> str:
    return "".join(f"<{name}>{value}</{name}>" for name, value in elements.items())


def number_in(query: Mapping[str, str], name: str, default: int) -> int | None:
    """From 1 to 1,000; ``None`` for another."""
    text = query.get(name, str(default))
    return int(text) if text.isdigit() and 1 <= int(text) <= 1000 else None
