"""The lines of ``profiles.toml`` that sentences about profiles are about."""

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from function.auth import CallerKinds
from function.auth.callers_file import key_of
from function.config import settings
from function.config.profile import Profile
from function.config.profiles import read_profiles
from function.errors import Problem
from ops.deploy.callers import CALLERS_TOML, NO_CALLERS, PLATFORM_IDS
from ops.terminal.language import Text
from ops.terminal.messages import in_both

# Stands in for a profiles.toml that is not there, on this machine alone.
EXAMPLE = "profiles.example.toml"
NO_PROFILES = Text(
    f"profiles.toml is not there: run make init, which writes it (by hand: cp {EXAMPLE} profiles.toml)",
    f"没有 profiles.toml：请运行 make init 生成（手动：cp {EXAMPLE} profiles.toml）",
)
UNMADE = {"PROFILES_FILE": NO_PROFILES, CALLERS_TOML: NO_CALLERS}

# The sentence of the function, or that of a check of hosts and roles.
ABOUT = re.compile(r"(?:profiles\.toml )?\[(?P<profile>[\w-]+)\](?:: |：| )?(?P<option>\w+)?")


def profiles_in(file: Path) -> Collection[Profile]:
    """Return the valid profiles of a file, as far as it can be read."""
    try:
        return read_profiles(file.read_text("utf-8"), default_signature="v4")[0].values()
    except (OSError, UnicodeDecodeError):
        return ()


def is_unmade(file: Path) -> bool:
    """Return whether this is a file of the operator's own, and nobody made it yet."""
    own = settings.DEFAULT_PROFILES_FILE
    return file in (own, own.with_name(CALLERS_TOML)) and not file.exists()


def said_of(problem: Problem) -> Text:
    """Return what the function says; of an own file that nobody made, what makes it."""
    unmade, path = UNMADE.get(problem.setting), problem.sentence.values.get("path")
    if unmade and path and is_unmade(Path(str(path))):
        return unmade
    said = in_both(problem.sentence)
    return in_keys(said) if problem.setting == CALLERS_TOML else said


def in_keys(sentence: Text) -> Text:
    """Return a sentence about ``callers.toml`` with the keys that stand there in the place of settings."""
    kinds = CallerKinds()
    keys = {row.name: key_of(row, name) for name in PLATFORM_IDS for row in kinds[name].settings}
    return Text(
        *(re.sub(r"[A-Z]+(?:_[A-Z]+)+", lambda each: keys.get(each[0], each[0]), text) for text in sentence)
    )


def after(place: str, sentence: Text) -> Text:
    """The sentence behind what it is about."""
    return Text(f"{place}: {sentence.en}", f"{place}：{sentence.zh}")


def with_lines(sentences: Iterable[Text], file: Path) -> Iterator[Text]:
    """Put ``profiles.toml:12``, the line of option or profile, at the head of each sentence."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        text = ""
    for sentence in sentences:
        match = ABOUT.match(sentence.en)
        if not match or not (number := _line(text, match["profile"], match["option"] or "")):
            yield sentence
            continue
        clause = Text(*(ABOUT.sub(r"\g<option>", each, count=1) for each in sentence))
        yield after(f"{file.name}:{number} [{match['profile']}]", clause)


def _line(text: str, profile: str, option: str) -> int:
    found, table = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.match(r"\s*\[+\s*([\w-]+)", line):
            table = heading[1]
            found = found or (number if table == profile else 0)
        elif table == profile and re.match(rf"\s*{option}\s*=", line):
            return number
    return found
