"""The lines of ``profiles.toml`` that sentences about profiles are about."""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from function.config.profile import Profile
from function.config.profiles import read_profiles
from ops.terminal.language import Text

# The sentence of the function, or that of a check of hosts and roles.
ABOUT = re.compile(r"(?:profiles\.toml )?\[(?P<profile>[\w-]+)\](?:: |：| )?(?P<option>\w+)?")


def profiles_in(file: Path) -> Collection[Profile]:
    """Return the valid profiles of a file, as far as it can be read."""
    try:
        return read_profiles(file.read_text("utf-8"), default_signature="v4")[0].values()
    except (OSError, UnicodeDecodeError):
        return ()


def with_lines(sentences: Iterable[Text], file: Path) -> Iterator[Text]:
    """
    Put ``profiles.toml:12`` at the head: the line of the option, else of the profile.

    One clause about several profiles becomes one sentence.
    """
    text = _text_of(file)
    joined: dict[str, list[tuple[str, Text]]] = {}
    for sentence in sentences:
        match = ABOUT.match(sentence.en)
        number = _line(text, match["profile"], match["option"] or "") if match else 0
        place = f"{file.name}:{number} [{match['profile']}]" if match and number else ""
        clause = Text(*(ABOUT.sub(r"\g<option>", each) for each in sentence)) if place else sentence
        joined.setdefault(clause.en, []).append((place, clause))
    for found in joined.values():
        places, clause = ", ".join(place for place, _ in found), found[0][1]
        yield Text(f"{places}: {clause.en}", f"{places}：{clause.zh}") if places else clause


def _text_of(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _line(text: str, profile: str, option: str) -> int:
    found, table = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.match(r"\s*\[+\s*([\w-]+)", line):
            table = heading[1]
            found = found or (number if table == profile else 0)
        elif table == profile and re.match(rf"\s*{option}\s*=", line):
            return number
    return found
