"""Key template of a profile: checked, rendered, and read backwards."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache

from function.annotations import Any, NamedTuple
from function.messages import Message

MAX_KEY_BYTES = 1023
# Folder of held objects; no profile's folder begins with it. Records of the function are stored beside them,
# under names that begin with a dot.
HELD_FOLDER = "held/"
RECORDS = f"{HELD_FOLDER}."
# Records of work for later, by its minute.
DUE = f"{RECORDS}due/"
# Records of uploads that wait for a human, by time.
REVIEWS = f"{RECORDS}review/"
# Clean copies of pictures: a folder of each owner, with names that cannot be guessed.
CLEAN = f"{RECORDS}clean/"
# Records of erasures; no lifecycle rule ends them.
ERASURES = f"{RECORDS}erasures/"
# Upload id, or trace id of a check, at the end of a record's name.
RECORD_ID = r"[0-9A-Za-z_-]{1,128}"
PUBLIC_OWNER = "public"
OWNER = rf"[a-z2-7]{{26}}|{PUBLIC_OWNER}"
# Pattern and largest size in bytes of each placeholder's value.
PLACEHOLDERS = {
    "owner": (OWNER, 26),
    "yyyy": ("[0-9]{4}", 4),
    "mm": ("0[1-9]|1[0-2]", 2),
    "dd": ("0[1-9]|[12][0-9]|3[01]", 2),
    "id": ("[A-Za-z0-9_-]{22}", 22),
    "sha256": ("[0-9a-f]{64}", 64),
    "ext": (r"\.[a-z0-9]{1,10}|", 11),
    "filename": ("[^/]+", 0),
}
# Folders that ``hooks.py`` chooses, inside the literal one.
INNER_FOLDER = r"[A-Za-z0-9_-]{1,64}(?:/[A-Za-z0-9_-]{1,64}){0,2}"
PLACEHOLDER = r"\{([^{}]*)\}"
# Bidirectional controls: a name that contains one is displayed as another.
BIDI_CONTROLS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"

# Templates whose properties are computed once: one for each profile and folder of hooks.
REMEMBERED = 256


class KeyTemplate(NamedTuple):
    """
    Template that ``problems_of`` accepts.

    Args:
        text: such as ``uploads/{owner}/{id}{ext}``; it holds no braces but those of its placeholders.
        has_inner_folders: True if keys with up to three folders that hooks chose are parsed as well.
        has_owned_folders: True if such folders stand behind ``{owner}/``, not behind the literal one, so that
            all objects of an owner share a prefix.
    """

    text: str
    has_inner_folders: bool = False
    has_owned_folders: bool = False

    @property
    @lru_cache(maxsize=REMEMBERED)
    def takes_filename(self) -> bool:
        """True if the page chooses the name under the folder, as with the sample servers."""
        return self.text.endswith("{filename}")

    @property
    @lru_cache(maxsize=REMEMBERED)
    def takes_digest(self) -> bool:
        """True if the same bytes of one owner may get the same name."""
        return "{sha256}" in self.text

    @property
    @lru_cache(maxsize=REMEMBERED)
    def is_named_by_digest(self) -> bool:
        """True if the same bytes always get the same name: the key has no id."""
        return self.takes_digest and "{id}" not in self.text

    @property
    def literal_folder(self) -> str:
        """Fixed start of every key, including its last ``/`` before a placeholder."""
        return self.text[: self.text.index("{")].rpartition("/")[0] + "/"

    @property
    def begins_with_owner(self) -> bool:
        """True if ``{owner}`` stands directly behind the literal folder."""
        return re.match(r"[^{]+/\{owner\}", self.text) is not None

    @property
    def outer(self) -> str | None:
        """Start of the template up to where folders of hooks stand; ``None`` if they have no place."""
        if not self.has_owned_folders:
            return self.literal_folder
        outer = f"{self.literal_folder}{{owner}}/"
        return outer if self.text.startswith(outer) else None

    def inside(self, folder: str) -> "KeyTemplate | None":
        """Return the template with this folder, one to three parts, where folders of hooks stand."""
        outer = self.outer
        if outer is None:
            return None
        return self._replace(text=f"{outer}{folder}/{self.text[len(outer) :]}")

    def prefix_of(self, owner: str) -> str:
        """Return the start of all keys of this owner, where the template ``begins_with_owner``."""
        outer = self.outer if self.has_inner_folders and self.has_owned_folders else None
        end = len(outer) if outer else self.text.index("{", len(self.literal_folder) + 1)
        return self.text[:end].replace("{owner}", owner)

    @property
    def longest_bytes(self) -> int:
        """Length of its longest key, without a name that the page chooses."""
        names = re.findall(PLACEHOLDER, self.text)
        literal = re.sub(PLACEHOLDER, "", self.text)
        return len(literal.encode()) + sum(PLACEHOLDERS[name][1] for name in names if name in PLACEHOLDERS)

    def render(
        self, *, owner: str, upload_id: str, now: datetime, extension: str, sha256: str | None = None
    ) -> str:
        """
        Return the object key; the folder, with its ``/``, if the page chooses the name.

        Args:
            extension: with its dot, or empty.
            sha256: digest of the file, 64 lower-case hexadecimal digits; needed if ``takes_digest``.
        """
        return self.text.format(
            owner=owner,
            yyyy=now.year,
            mm=f"{now.month:02}",
            dd=f"{now.day:02}",
            id=upload_id,
            sha256=sha256,
            ext=extension,
            filename="",
        )

    def read(self, key: str) -> Mapping[str, str] | None:
        """Return the values that ``render`` made this key of, by placeholder; ``None`` if there are none."""
        match = _pattern(self).fullmatch(key)
        return match and match.groupdict()

    def is_of(self, key: str, owner: str) -> bool:
        """Return whether the template may have made this key for this owner."""
        parts = self.read(key)
        return parts is not None and parts.get("owner") == owner


def held_name(key: str) -> str:
    """Return the name of a held object with this key."""
    return f"{HELD_FOLDER}{key}"


def is_held_name(stored: str) -> bool:
    """Return whether this is the name of a held object."""
    return stored.startswith(HELD_FOLDER)


def published_name(stored: str) -> str:
    """Return the key of an object that is stored under this name, held or published."""
    return stored.removeprefix(HELD_FOLDER)


def is_plain(key: str) -> bool:
    """Return whether a key is shown as it is everywhere, and stays in its folder in a URL."""
    return not any(map(_is_unseen, key)) and not {".", ".."} & set(key.split("/"))


def problems_of(text: Any) -> list[Message]:
    """Return the problems of a profile's ``key``: clauses that begin with ``key``."""
    if not isinstance(text, str) or not text:
        return [Message('key is missing, such as "uploads/{{owner}}/{{id}}{{ext}}"')]
    names, literal = re.findall(PLACEHOLDER, text), re.sub(PLACEHOLDER, "", text)
    found = []
    for name in sorted({name for name in names if name not in PLACEHOLDERS}):
        allowed = ", ".join("{" + known + "}" for known in PLACEHOLDERS)
        found.append(Message("key has {{{name}}}; allowed: {allowed}", name=name, allowed=allowed))
    if "{" in literal or "}" in literal:
        found.append(Message("key has a {{ or }} that opens or closes no placeholder"))
    # A star or question mark would be a wildcard in the session policy; a dollar sign would be
    # expanded by OSS after the policy was checked.
    if bad := sorted({mark for mark in literal if mark in "$*?\\" or _is_unseen(mark)}):
        found.append(Message("key must not hold {marks}", marks=", ".join(map(repr, bad))))
    found += [*_folder_problems(text), *_name_problems(text, names)]
    longest = KeyTemplate(text).longest_bytes
    if longest > MAX_KEY_BYTES:
        found.append(
            Message(
                "key may become {longest} bytes long; OSS allows {most}", longest=longest, most=MAX_KEY_BYTES
            )
        )
    return found


def _is_unseen(mark: str) -> bool:
    """Return whether this is a control character or a mark of direction."""
    return mark < " " or "\x7f" <= mark <= "\x9f" or mark in BIDI_CONTROLS


def _folder_problems(text: str) -> Iterator[Message]:
    folder = text.partition("{")[0].rpartition("/")[0]
    if not folder or text.startswith("/"):
        yield Message("key must start with a folder of fixed text, such as uploads/")
    if text.startswith(HELD_FOLDER):
        yield Message("key must not start with held/, the reserved folder of held objects")
    if any(part in ("", ".", "..") for part in text.lstrip("/").split("/")):
        yield Message("key must not have empty, . or .. parts")


def _name_problems(text: str, names: list[str]) -> Iterator[Message]:
    if text.endswith("{filename}"):
        if names.count("filename") > 1 or "{ext}" in text or not text.endswith("/{filename}"):
            yield Message("key with {{filename}} must end in /{{filename}}, once, and without {{ext}}")
    elif "filename" in names:
        yield Message("key may have {{filename}} only as its end")
    elif "id" not in names and "sha256" not in names:
        yield Message("key must have {{id}}, so that no two uploads share a name (or end in {{filename}})")


# Compiled when needed: a cold start does not pay for patterns.
@lru_cache(maxsize=64)
def _pattern(template: KeyTemplate) -> "re.Pattern[str]":
    text, seen = template.text, set[str]()
    outer = template.outer if template.has_inner_folders else None
    if outer is None:
        return re.compile("".join(_pattern_parts(text, seen)))
    before = "".join(_pattern_parts(outer, seen))
    return re.compile(f"{before}({INNER_FOLDER}/)?" + "".join(_pattern_parts(text[len(outer) :], seen)))


def _pattern_parts(text: str, seen: set[str]) -> Iterator[str]:
    for number, part in enumerate(re.split(PLACEHOLDER, text)):
        if number % 2 == 0:
            yield re.escape(part)
        elif part in seen:
            yield f"(?P={part})"
        else:
            seen.add(part)
            yield f"(?P<{part}>{PLACEHOLDERS[part][0]})"
