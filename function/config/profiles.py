"""Profiles: ``profiles.toml`` read into validated profiles."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from function.annotations import Any
from function.config import profile_validation
from function.config.key_template import KeyTemplate, problems_of
from function.config.option_table import NAME, OPTION_NAMES, OPTIONS
from function.config.profile import (
    CHECK,
    CHECKED_HOLD_DAYS,
    COMMIT,
    META_PREFIX,
    NOWHERE,
    RULES,
    RULES_METADATA,
    BucketLocation,
    Profile,
)
from function.errors import Problem
from function.messages import Message

PROFILES_TOML = "profiles.toml"
# Written by packaging: the tables of that file by the hash of its text, since reading TOML costs a cold start
# as much as signing 50 forms.
PREPARED = Path(__file__).parents[2] / "profiles.json"
# Fields of ``Profile`` that are not named like their option.
FIELDS = {
    "max_size": "max_size_bytes",
    "min_size": "min_size_bytes",
    "part_size": "part_size_bytes",
    "signature": "signature_version",
}


def read_profiles(
    text: str, *, default_signature: str, home: BucketLocation = NOWHERE
) -> tuple[dict[str, Profile], list[Problem]]:
    """
    Read every profile; return the valid ones by name, and a problem for each fault of the others.

    Args:
        home: location of the profiles that name none.
    """
    try:
        tables = _tables(text)
    # Besides its own errors the parser lets through those of deep nesting and of enormous numbers.
    except (ValueError, RecursionError) as error:
        from function.config.toml_errors import message_of

        return {}, [Problem(PROFILES_TOML, message_of(PROFILES_TOML, text, error))]
    profiles: dict[str, Profile] = {}
    problems: list[Problem] = []
    if not tables:
        sentence = Message("profiles.toml has no profile; it needs at least one table such as [default]")
        problems.append(Problem(PROFILES_TOML, sentence))
    for name, table in tables.items():
        if not isinstance(table, dict):
            sentence = Message("profiles.toml: {name!r} must be a table of options: [{name}]", name=name)
            problems.append(Problem(PROFILES_TOML, sentence))
        elif not re.fullmatch(NAME, name):
            sentence = Message(
                "profiles.toml: [{name}] must be named with 1 to 64 letters, digits, _ or -", name=name
            )
            problems.append(Problem(PROFILES_TOML, sentence))
        else:
            values, clauses = _read_table(table, default_signature)
            problems += [problem_in(name, clause) for clause in clauses]
            if not clauses:
                profiles[name] = _profile(name, values, home)
    for name, clause in profile_validation.between_profiles(profiles.values(), home):
        problems.append(problem_in(name, clause))
    return profiles, problems


def _tables(text: str) -> dict[str, Any]:
    """Return the tables of a file; a text that packaging has not seen is read as it is."""
    try:
        prepared = json.loads(PREPARED.read_bytes())
    except (OSError, ValueError):
        prepared = {}
    tables: dict[str, Any] | None = prepared.get(sha256(text.encode()).hexdigest())
    if tables is None:
        import tomllib

        # Notepad begins a file with a mark.
        return tomllib.loads(text.removeprefix("\ufeff"))
    return tables


def problem_in(profile_name: str, clause: Message, *, needs: str = "") -> Problem:
    """Return the problem that a clause about one profile is."""
    sentence = Message("profiles.toml [{profile}]: {clause}", profile=profile_name, clause=clause)
    return Problem(PROFILES_TOML, sentence, needs)


def _read_table(table: Mapping[str, Any], default_signature: str) -> tuple[dict[str, Any], list[Message]]:
    """Return the values of a profile, and a clause for each fault."""
    key = table.get("key")
    is_page = isinstance(key, str) and KeyTemplate(key).takes_filename
    values: dict[str, Any] = {"key": key}
    rows = [row for row in OPTIONS if row.is_for_pages or not is_page]
    allowed = ["key", *(row.name for row in rows)]
    clauses = [*profile_validation.unknown_options(table, allowed, OPTION_NAMES), *problems_of(key)]
    is_checked = table.get("hold") in ([CHECK], [COMMIT, CHECK])
    given = {
        "signature": default_signature,
        "content_types": ["*/*"] if is_page else None,
        "hold_days": CHECKED_HOLD_DAYS if is_checked else None,
        **table,
    }
    for option in OPTIONS:
        value = given.get(option.name)
        value = option.default if value is None else value
        if value is None:
            clauses += [option.type.missing(option.name)] if option.is_needed else []
            continue
        try:
            values[option.name] = option.type.read(value)
        except ValueError as error:
            clauses.append(option.type.refusal(option.name, value, error))
    clauses += profile_validation.unmet_conditions(rows, table, values)
    clauses += profile_validation.within_profile(values, is_page)
    return values, clauses


def _profile(name: str, values: Mapping[str, Any], home: BucketLocation) -> Profile:
    # A list and a deletion go by the folder of an owner, so folders of hooks stand inside it.
    has_owned_folders = bool(values.get("list") or values.get("delete"))
    key, hold = KeyTemplate(values["key"], has_owned_folders=has_owned_folders), values.get("hold", ())
    pinned = _pinned_fields({} if key.takes_filename else {**values, "acl": "private"} if hold else values)
    if hold:
        pinned += ((f"{META_PREFIX}{RULES_METADATA}", _hash_of_rules(values)),)
    fields = {
        **dict.fromkeys(Profile._fields),
        **{FIELDS.get(option, option): value for option, value in values.items()},
        "name": name,
        "key": key,
        "pinned": pinned,
        "read": values.get("read", ""),
        "delete": values.get("delete", ""),
        "callers": values.get("callers", ()),
        "variants": MappingProxyType(values.get("variants", {})),
        "hold": hold,
        "location": home.override(values),
    }
    return Profile(**{field: fields[field] for field in Profile._fields})


def _hash_of_rules(values: Mapping[str, Any]) -> str:
    # What is off is left out, so that an option of a later version changes no hash.
    rules = {
        name: sorted(value) if isinstance(value, tuple) else value
        for name in RULES
        if (value := values.get(name))
    }
    return sha256(json.dumps(rules, sort_keys=True).encode()).hexdigest()[:16]


def _pinned_fields(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return the form fields that options fix, each with its one value."""
    fields: list[tuple[str, str]] = []
    for option in OPTIONS:
        value = values.get(option.name)
        if option.pins and isinstance(value, dict):
            fields += [(f"{option.pins}{name}", item) for name, item in value.items()]
        elif option.pins and value is not None:
            fields.append((option.pins, value))
    return tuple(fields)
