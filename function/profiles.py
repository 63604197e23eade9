"""``profiles.toml`` becomes validated profiles: what may be uploaded, for one purpose each."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from function.content_type import is_run_by_browsers
from function.errors import Problem
from function.key_template import KeyTemplate, held_name, problems_of
from function.option_values import CHECK, MAX_FORM_BYTES, NAME
from function.phrase import Phrase
from function.profile_contradictions import FORM, HELD, PAGE, contradictions, shared_folders, strangers
from function.profile_options import ANY_TYPE, pinned_fields, read_options

PROFILES_TOML = "profiles.toml"
ACL_FIELD = "x-oss-object-acl"
# How long WeChat may take to fetch what it is to check.
CHECK_URL_LIFE = timedelta(hours=1)


class Profile(NamedTuple):
    """
    What may be uploaded for one purpose.

    Args:
        content_types: ``type/subtype``, ``type/*`` or ``*/*``, lower case.

        expires_in: how long a form lives.

        acl: of the object under its own name.

        pinned: further form fields with their values, under OSS's names, each pinned as it is; what is held
            back is private meanwhile.

        read: to whom ``/read`` gives signed URLs: ``owner``, ``callers``, or nobody (empty).

        read_for: how long such a URL is good at least; it lives two windows of this.

        variants: values of ``x-oss-process`` by name.

        parts: whether a file may be sent in parts, each of ``part_size_bytes`` but the last.

        parts_within: how long an upload in parts may take.

        files_per_day, bytes_per_day: what an owner's forms of one day admit together.

        hold: what must happen before an object gets its name, ``commit`` and ``check``, in this order.

        hold_days: how long it waits for that.

        commit_by: whose word a commit is: ``backend`` or ``owner``.

        check_scene: WeChat's number for where such pictures are shown.
    """

    name: str
    key: KeyTemplate
    max_size_bytes: int
    min_size_bytes: int
    content_types: tuple[str, ...]
    expires_in: timedelta
    overwrite: bool
    callback: bool
    signature_version: str
    acl: str
    pinned: tuple[tuple[str, str], ...]
    confirm: bool
    read: str
    read_for: timedelta
    variants: Mapping[str, str]
    parts: bool
    part_size_bytes: int
    parts_within: timedelta
    files_per_day: int | None
    bytes_per_day: int | None
    hold: tuple[str, ...]
    hold_days: int
    commit_by: str
    check_scene: int

    @property
    def takes_filename(self) -> bool:
        """Whether the page chooses the name under the folder (the shape of the sample servers)."""
        return self.key.takes_filename

    @property
    def is_held(self) -> bool:
        """Whether an object is published later than it is stored."""
        return bool(self.hold)

    @property
    def gives_receipts(self) -> bool:
        return self.confirm or self.parts or self.callback

    @property
    def is_checked(self) -> bool:
        """Whether WeChat looks at it before."""
        return CHECK in self.hold

    @property
    def stored_folder(self) -> str:
        """The folder that uploads go to."""
        folder = self.key.literal_folder
        return held_name(folder) if self.is_held else folder

    @property
    def stored_acl(self) -> str:
        """Of what has been uploaded."""
        return dict(self.pinned).get(ACL_FIELD, "default")

    @property
    def read_life(self) -> timedelta:
        """How long a URL of ``/read`` lives: from the start of a window to the end of the next."""
        return 2 * self.read_for

    @property
    def is_read_signed(self) -> bool:
        """Whether a URL of ``/read`` needs a signature: what is public has a plain one."""
        return bool(self.read) and self.acl != "public-read"

    @property
    def has_quota(self) -> bool:
        return bool(self.files_per_day or self.bytes_per_day)

    @property
    def objects_life(self) -> timedelta:
        """How long what the objects session signs for this profile is good: for readers, and for WeChat."""
        return max(
            self.read_life if self.is_read_signed else timedelta(0),
            CHECK_URL_LIFE if self.is_checked else timedelta(0),
        )

    def for_forms(self) -> "Profile":
        """The same, as far as one form can carry it: parts may make a larger object."""
        if self.max_size_bytes <= MAX_FORM_BYTES:
            return self
        return self._replace(max_size_bytes=MAX_FORM_BYTES)

    @property
    def limits(self) -> dict[str, Any]:
        """What a client is told when its file is refused; sizes are bytes."""
        return {
            "maxSize": self.max_size_bytes,
            "minSize": self.min_size_bytes,
            "contentTypes": list(self.content_types),
        }

    def admits(self, content_type: str) -> bool:
        """By its name, or by a wildcard; those cover no type that browsers run."""
        if content_type in self.content_types:
            return True
        main = content_type.partition("/")[0]
        is_covered = "*/*" in self.content_types or f"{main}/*" in self.content_types
        return is_covered and not is_run_by_browsers(content_type)


def read_profiles(text: str, *, default_signature: str) -> tuple[dict[str, Profile], list[Problem]]:
    """
    Read every profile.

    Returns:
        the good profiles by name, and one problem for each thing that is wrong with the others.
    """
    try:
        tables = tomllib.loads(text)
    # Besides its own errors the parser lets through those of deep nesting and of enormous numbers.
    except (ValueError, RecursionError) as error:
        return {}, [_problem(Phrase("{file} is not TOML: {why}", file=PROFILES_TOML, why=str(error)))]
    profiles: dict[str, Profile] = {}
    problems: list[Problem] = []
    if not tables:
        problems.append(
            _problem(
                Phrase(
                    "{file} has no profile; it needs at least one table such as [default]", file=PROFILES_TOML
                )
            )
        )
    for name, table in tables.items():
        profile, found = _read_table(name, table, default_signature)
        problems += found
        if profile:
            profiles[name] = profile
    problems += _shared(profiles.values())
    return profiles, problems


def problem_in(profile_name: str, clause: Phrase, *, needs: str = "") -> Problem:
    """A clause about one profile as a sentence that names it."""
    sentence = Phrase("{file} [{profile}]: {clause}", file=PROFILES_TOML, profile=profile_name, clause=clause)
    return _problem(sentence, needs)


def _problem(sentence: Phrase, needs: str = "") -> Problem:
    return Problem(PROFILES_TOML, sentence, needs)


def _read_table(name: str, table: Any, default_signature: str) -> tuple[Profile | None, list[Problem]]:
    if not isinstance(table, dict):
        sentence = Phrase(
            "{file}: {name!r} must be a table of options: [{name}]", file=PROFILES_TOML, name=name
        )
        return None, [_problem(sentence)]
    if not re.fullmatch(NAME, name):
        sentence = Phrase(
            "{file}: [{name}] must be named with 1 to 64 letters, digits, _ or -",
            file=PROFILES_TOML,
            name=name,
        )
        return None, [_problem(sentence)]
    key = table.get("key")
    is_page = isinstance(key, str) and KeyTemplate(key).takes_filename
    defaults = {"signature": default_signature, "content_types": list(ANY_TYPE) if is_page else None}
    values, found = read_options(table, defaults)
    clauses = [*strangers(table, is_page), *problems_of(key), *found, *contradictions(table, values, is_page)]
    if clauses:
        return None, [problem_in(name, clause) for clause in clauses]
    profile = Profile(
        name=name,
        key=KeyTemplate(str(key)),
        max_size_bytes=values["max_size"],
        min_size_bytes=values["min_size"],
        content_types=values["content_types"],
        expires_in=values["expires_in"],
        overwrite=values["overwrite"],
        callback=values["callback"],
        signature_version=values["signature"],
        acl=values["acl"],
        pinned=() if is_page else _pinned(values),
        confirm=values["confirm"],
        read=values["read"],
        read_for=values["read_for"],
        variants=MappingProxyType(values["variants"]),
        parts=values["parts"],
        part_size_bytes=values["part_size"],
        parts_within=values["parts_within"],
        files_per_day=values["files_per_day"],
        bytes_per_day=values["bytes_per_day"],
        hold=values["hold"],
        hold_days=values["hold_days"],
        commit_by=values["commit_by"],
        check_scene=values["check_scene"],
    )
    return profile, []


def _pinned(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return pinned_fields({**values, "acl": "private"} if values["hold"] else values)


def _shared(profiles: Iterable[Profile]) -> Iterator[Problem]:
    folders = {profile.name: (_kind(profile), profile.key.literal_folder) for profile in profiles}
    for name, clause in shared_folders(folders):
        yield problem_in(name, clause)


def _kind(profile: Profile) -> str:
    if profile.takes_filename:
        return PAGE
    return HELD if profile.is_held else FORM
