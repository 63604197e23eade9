"""Secrets planted everywhere, and the watch that searches whatever the run produces for them."""

import logging
import secrets
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

MARK_BYTES = 9
# No token and no signed policy belongs into a log; in base64 they begin with {"alg": and {"expiration.
ONLY_IN_ANSWERS = ("eyJhbGciOi", "eyJ0eXAiOi", "eyJleHBpcmF0aW9u")


class Watch:
    """
    Makes secrets that all hold one mark of this run, and finds the mark in plain text, base64 or hex.

    Attributes:
        searched: how many characters, by kind of place.

        found: kind of place and what surrounds the mark, for each hit.
    """

    def __init__(self, mark: str = "") -> None:
        self.mark = mark or "Canary" + secrets.token_hex(MARK_BYTES)
        self.searched: Counter[str] = Counter()
        self.found: list[str] = []
        self._needles = (self.mark, self.mark.encode().hex(), *_inside_base64(self.mark))

    def plant(self, name: str) -> str:
        """A secret of 64 characters or more, for any purpose."""
        return f"{self.mark}-{name}-{secrets.token_hex(24)}"

    def search(self, text: str, where: str) -> None:
        self.searched[where] += len(text)
        for needle in (*self._needles, *ONLY_IN_ANSWERS) if where == "log" else self._needles:
            if needle in text:
                before = text.partition(needle)[0][-60:]
                self.found.append(f"{where}: …{before}[secret]")

    def search_reprs(self, value: Any, depth: int = 6) -> None:
        """The ``repr`` of an object and of everything of ours that hangs on it."""
        seen: set[int] = set()
        waiting = [(value, depth)]
        while waiting:
            item, left = waiting.pop()
            if id(item) in seen or left < 0:
                continue
            seen.add(id(item))
            # A bare text or mapping is the secret's home (the environment); its owners must not show it.
            if type(item).__module__ not in ("builtins", "os"):
                self.search(repr(item), "repr")
            waiting += [(part, left - 1) for part in getattr(item, "__dict__", {}).values()]
            if isinstance(item, (list, tuple)):
                waiting += [(part, left - 1) for part in item]

    def search_folder(self, folder: Path, where: str) -> None:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.search(path.read_bytes().decode("latin-1"), where)


class LogWatch(logging.Handler):
    """Searches every record of every logger, formatted with its traceback."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.DEBUG)
        self._watch = watch
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.last = self.format(record)
        self._watch.search(self.last, "log")

    def __enter__(self) -> "LogWatch":
        root = logging.getLogger()
        self._before = root.level
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *_error: object) -> None:
        root = logging.getLogger()
        root.removeHandler(self)
        root.setLevel(self._before)


def _inside_base64(text: str) -> list[str]:
    """What any base64 text shows that has ``text`` in it, for each of the three alignments."""
    shown = []
    for before in range(3):
        encoded = b64encode(b"\0" * before + text.encode()).decode().rstrip("=")
        # The first characters mix with what stands before, the last with what follows.
        shown.append(encoded[(before * 8 + 5) // 6 : -1])
    return shown
