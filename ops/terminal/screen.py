"""Lines for a person at a terminal: steps, aligned names and values, colour only where it is welcome."""

import os
import re
import sys
import unicodedata
from collections.abc import Mapping
from typing import TextIO

from ops.terminal.language import Failure
from ops.terminal.masking import printable

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"
WHITE_ON_BLACK = "97;40"
OWN_COLOURS = re.compile(r"(\x1b\[(?:0|1|2|31|32|33|97;40)m)")
# A space, a Latin word, or one Chinese character; with the marks that no line begins or ends with.
PIECE = re.compile(r"\s+|[（“]*(?:[!-~…]+|.)[，。；：、）”]*")


class Screen:
    """
    Output of a command.

    Args:
        stream: text; characters its encoding lacks become ``?`` instead of an error.

    Attributes:
        has_colour: whether a person looks at it, at a terminal that knows colours.
    """

    def __init__(self, stream: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._stream = stream or sys.stdout
        reconfigure = getattr(self._stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
        self.has_colour = (
            self._stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        )

    def colour(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.has_colour else text

    def line(self, text: str = "") -> None:
        """Write a line; nothing in it moves the cursor, reorders or colours it except ``colour``."""
        try:
            print("\n".join(map(self._safe, text.split("\n"))), file=self._stream, flush=True)
        except BrokenPipeError:
            # The reader has gone (``| head``): go on without one, and let the end flush into nothing.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())

    def _safe(self, text: str) -> str:
        parts = OWN_COLOURS.split(text) if self.has_colour else [text]
        return "".join(part if OWN_COLOURS.fullmatch(part) else printable(part) for part in parts)

    def title(self, text: str) -> None:
        self.line(self.colour(text, BOLD))

    def pairs(self, rows: Mapping[str, str], indent: int = 4) -> None:
        """One ``name  value`` line each, the values under one another."""
        width = max(map(columns_of, rows), default=0)
        for name, value in rows.items():
            self.line(f"{'':{indent}}{padded(printable(name), width)}  {printable(value)}".rstrip())

    def good(self, text: str) -> None:
        self.line("    " + self.colour("✓ ", GREEN) + text)

    def warn(self, text: str) -> None:
        self.line(self.colour("! " + text, YELLOW))

    def fail(self, text: str) -> None:
        self.line(self.colour("✗ " + text, RED))

    def fail_with(self, failure: Failure, language: str) -> None:
        for sentence in failure.sentences:
            self.fail(sentence.say(language))


def wrapped(text: str, width: int) -> list[str]:
    """Lines of at most so many columns; broken at spaces, and between any two Chinese characters."""
    lines = [""]
    for piece in PIECE.findall(" ".join(text.split())):
        if lines[-1] and columns_of(lines[-1] + piece) > width:
            lines.append("")
        lines[-1] = (lines[-1] + piece).lstrip()
    return [line.rstrip() for line in lines]


def columns_of(text: str) -> int:
    """Return the width of a text in terminal columns."""
    return sum(2 if unicodedata.east_asian_width(mark) in "WF" else 1 for mark in text)


def padded(text: str, width: int) -> str:
    """With spaces after it, so that what follows stands in the same column."""
    return text + " " * (width - columns_of(text))
