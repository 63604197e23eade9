"""``profiles.toml`` becomes validated profiles: what may be uploaded, for one purpose each."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, NamedTuple

from function.content_type import is_run_by_browsers
from function.errors import Problem
from function.key_template import KeyTemplate, problems_of
from function.option_values import MAX_FORM_BYTES, NAME
from function.phrase import Phrase
from function.profile_contradictions import contradictions, strangers
from function.profile_options import ANY_TYPE, pinned_fields, read_options

PROFILES_TOML = "profiles.toml"


class Profile(NamedTuple):
    """
    What may be uploaded for one purpose.

    Args:
        content_types: ``type/subtype``, ``type/*`` or ``*/*``, lower case.

        expires_in: how long a form lives.

        pinned: further form fields with their values, under OSS's names, each pinned as it is.

        read: to whom ``/read`` gives signed URLs: ``owner``, ``callers``, or nobody (empty).

        read_for: how long such a URL is good at least; it lives two windows of this.

        variants: values of ``x-oss-process`` by name.

        parts: whether a file may be sent in parts, each of ``part_size_bytes`` but the last.

        parts_within: how long an upload in parts may take.

        files_per_day, bytes_per_day: what an owner's forms of one day admit together.
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

    @property
    def takes_filename(self) -> bool:
        """Whether the page chooses the name under the folder (the shape of the sample servers)."""
        return self.key.takes_filename

    @property
    def acl(self) -> str:
        return dict(self.pinned).get("x-oss-object-acl", "default")

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
        wildcards = (f"{content_type.partition('/')[0]}/*", "*/*")
        return content_type in self.content_types or (
            any(wildcard in self.content_types for wildcard in wildcards)
            and not is_run_by_browsers(content_type)
        )


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
    problems += _overlaps(profiles.values())
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
        pinned=() if is_page else pinned_fields(values),
        confirm=values["confirm"],
        read=values["read"],
        read_for=values["read_for"],
        variants=MappingProxyType(values["variants"]),
        parts=values["parts"],
        part_size_bytes=values["part_size"],
        parts_within=values["parts_within"],
        files_per_day=values["files_per_day"],
        bytes_per_day=values["bytes_per_day"],
    )
    return profile, []


def _overlaps(profiles: Iterable[Profile]) -> Iterator[Problem]:
    """
    A ``{filename}`` folder that overlaps one whose forms pin an ACL.

    The session may set ACLs in the latter, so a page that chooses its own key (and sends its own
    ACL, which no condition of its form forbids) could make an object there public.
    """
    pages = [profile for profile in profiles if profile.takes_filename]
    others = [profile for profile in profiles if not profile.takes_filename]
    for page in pages:
        for other in others:
            ours, theirs = page.key.literal_folder, other.key.literal_folder
            if ours.startswith(theirs) or theirs.startswith(ours):
                yield problem_in(
                    page.name,
                    Phrase(
                        "key with {{filename}} needs a folder of its own;"
                        " {ours} overlaps {theirs} of [{other}]",
                        ours=ours,
                        theirs=theirs,
                        other=other.name,
                    ),
                )
