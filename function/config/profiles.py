"""``profiles.toml`` becomes validated profiles."""

import re
import tomllib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from function.config.key_template import KeyTemplate, problems_of
from function.config.messages import Message
from function.config.profile import NOWHERE, BucketLocation, Profile
from function.config.profile_options import ANY_TYPE, pinned_fields, read_options
from function.config.profile_validation import contradictions, contradictions_between, strangers
from function.config.types import NAME
from function.errors import Problem

PROFILES_TOML = "profiles.toml"


def read_profiles(
    text: str, *, default_signature: str, home: BucketLocation = NOWHERE
) -> tuple[dict[str, Profile], list[Problem]]:
    """
    Read every profile.

    Args:
        home: the place of those that name none of their own.

    Returns:
        the good profiles by name, and one problem for each thing that is wrong with the others.
    """
    try:
        tables = tomllib.loads(text)
    # Besides its own errors the parser lets through those of deep nesting and of enormous numbers.
    except (ValueError, RecursionError) as error:
        return {}, [_problem(Message("{file} is not TOML: {why}", file=PROFILES_TOML, why=str(error)))]
    profiles: dict[str, Profile] = {}
    problems: list[Problem] = []
    if not tables:
        problems.append(
            _problem(
                Message(
                    "{file} has no profile; it needs at least one table such as [default]", file=PROFILES_TOML
                )
            )
        )
    for name, table in tables.items():
        profile, found = _read_table(name, table, default_signature, home)
        problems += found
        if profile:
            profiles[name] = profile
    for name, clause in contradictions_between(profiles.values(), home):
        problems.append(problem_in(name, clause))
    return profiles, problems


def problem_in(profile_name: str, clause: Message, *, needs: str = "") -> Problem:
    """A clause about one profile as a sentence that names it."""
    sentence = Message(
        "{file} [{profile}]: {clause}", file=PROFILES_TOML, profile=profile_name, clause=clause
    )
    return _problem(sentence, needs)


def _problem(sentence: Message, needs: str = "") -> Problem:
    return Problem(PROFILES_TOML, sentence, needs)


def _read_table(
    name: str, table: Any, default_signature: str, home: BucketLocation
) -> tuple[Profile | None, list[Problem]]:
    if not isinstance(table, dict):
        sentence = Message(
            "{file}: {name!r} must be a table of options: [{name}]", file=PROFILES_TOML, name=name
        )
        return None, [_problem(sentence)]
    if not re.fullmatch(NAME, name):
        sentence = Message(
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
        location=home.with_own(values),
    )
    return profile, []


def _pinned(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return pinned_fields({**values, "acl": "private"} if values["hold"] else values)
