"""
What the deployment tool prints, without the secrets that it prints in clear: those of now, and those that a
difference to the deployed function shows.
"""

import re
from collections.abc import Iterable, Mapping

from ops.deploy.schema_check import is_secret

HIDDEN = "(not shown)"
# Begins what the tool prints about all that it deployed.
RESULT = "Result for ["
# Shorter pieces would blacken words that have nothing to do with them.
SHORTEST_PIECE = 6
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
IN_YAML = re.compile(r"(?P<start>\s*(?:[-+~] )?)(?P<name>[A-Za-z_]\w*): +\S.*")
IN_JSON = re.compile(r'"(?P<name>[A-Za-z_]\w*)"\s*:\s*"(?:[^"\\]|\\.)*"')
KEY_MARK = re.compile(r"-----(BEGIN|END) [A-Z ]+-----")


def secret_pieces(values: Mapping[str, str]) -> list[str]:
    """The texts that must not show: each line and each part of a list of every secret, the longest first."""
    secrets = (value for name, value in values.items() if is_secret(name))
    pieces = {piece.strip() for value in secrets for piece in [value, *re.split(r"[\n,]|\\n", value)]}
    return sorted((piece for piece in pieces if len(piece) >= SHORTEST_PIECE), key=len, reverse=True)


class Filter:
    """
    Lines in, lines for a person out.

    Args:
        pieces: of ``secret_pieces``.
    """

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces = list(pieces)
        self._inside_key = False

    def line(self, text: str) -> str | None:
        """The line as it may be shown; ``None`` for one that is nobody's business."""
        text = COLOUR.sub("", text.rstrip("\r\n"))
        was_inside = self._inside_key
        for mark in KEY_MARK.findall(text):
            self._inside_key = mark == "BEGIN"
        if was_inside:
            return None
        for piece in self._pieces:
            text = text.replace(piece, HIDDEN)
        text = IN_JSON.sub(lambda found: _hidden(found, f'"{found["name"]}": "{HIDDEN}"'), text)
        return IN_YAML.sub(lambda found: _hidden(found, f"{found['start']}{found['name']}: {HIDDEN}"), text)


def _hidden(found: re.Match[str], instead: str) -> str:
    return instead if is_secret(found["name"]) else found[0]
