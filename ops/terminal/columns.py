"""
Text by what it takes on the screen: a Chinese character is two columns wide.
"""

import re
import unicodedata

# A space, a Latin word, or one Chinese character; with the marks that no line begins or ends with.
PIECE = re.compile(r"\s+|[（“]*(?:[!-~…]+|.)[，。；：、）”]*")


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
