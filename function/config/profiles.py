"""Profiles: every option as one row, and ``profiles.toml`` read into validated profiles."""

import re
import tomllib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from function.config import profile_validation, types
from function.config.key_template import KeyTemplate, problems_of
from function.config.messages import Message
from function.config.profile import (
    ACL_FIELD,
    CHECK,
    COMMIT,
    META_PREFIX,
    NOWHERE,
    STORAGE_CLASS_FIELD,
    BucketLocation,
    Profile,
    fits_metadata,
)
from function.config.types import Type
from function.errors import Problem

PROFILES_TOML = "profiles.toml"
SIGNATURE_VERSIONS = ("v4", "v1")
# Names of profiles and variants.
NAME, MAX_VARIANTS = r"[A-Za-z0-9_-]{1,64}", 64
# Printable ASCII without the dollar sign, which a policy would have to escape.
HEADER = r"[\x20-\x23\x25-\x7e]{1,1024}"
HEADER_TYPE = types.matching(HEADER, Message("1 to 1024 printable ASCII characters without $"))
# Credentials do not live longer.
SESSION_SECONDS = types.seconds(1, 43200)
# Objects of these classes must be restored before they can be read or copied.
ARCHIVES = ("Archive", "ColdArchive", "DeepColdArchive")
IN_AN_ARCHIVE = tuple(f"storage_class={name}" for name in ARCHIVES)
# Fields of ``Profile`` that are not named like their option.
FIELDS = {
    "max_size": "max_size_bytes",
    "min_size": "min_size_bytes",
    "part_size": "part_size_bytes",
    "signature": "signature_version",
}


class Option(NamedTuple):
    """
    Option of a profile.

    Args:
        default: as it would be written; ``None`` if an absent option has no value.
        is_for_pages: True if a ``{filename}`` profile may have it. Its page sends none of our fields, so
            nothing else could be enforced.
        pins: the form field, under OSS's name, that carries the value.
        needs, excludes: conditions: another option, ``name=value`` or alternatives joined by ``|``.
        needs_owner: True if it needs ``{owner}`` directly after the literal folder of the key, and callers
            who are told apart.
    """

    name: str
    type: Type
    default: Any = None
    is_needed: bool = False
    is_for_pages: bool = False
    pins: str = ""
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    needs_setting: str = ""
    needs_owner: bool = False


def _hold(value: Any) -> tuple[str, ...]:
    if value not in ([COMMIT], [CHECK], [COMMIT, CHECK]):
        raise ValueError
    return tuple(value)


OPTIONS = (
    # For people: ``manage.py serve`` and the playground show it.
    Option("title", types.TITLE, is_for_pages=True),
    Option("max_size", types.size("1", "48GiB"), is_needed=True, is_for_pages=True),
    Option("min_size", types.size("0", "5GiB"), 1, is_for_pages=True),
    Option(
        "content_types",
        types.list_of(
            r"\*/\*|[a-z0-9][a-z0-9.+_-]*/(\*|[a-z0-9][a-z0-9.+_-]*)",
            Message("a list of type/subtype, type/* or */*, in lower case"),
        ),
        is_needed=True,
        is_for_pages=True,
    ),
    Option("expires_in", SESSION_SECONDS, 300, is_for_pages=True),
    Option("acl", types.one_of("default", "private", "public-read"), "default", pins=ACL_FIELD),
    Option("overwrite", types.FLAG, False, excludes=("hold=check",)),
    Option("callback", types.FLAG, False, is_for_pages=True, needs_setting="CALLBACK_URL"),
    Option("signature", types.one_of(*SIGNATURE_VERSIONS), is_for_pages=True),
    Option("cache_control", HEADER_TYPE, pins="Cache-Control"),
    Option("content_disposition", HEADER_TYPE, pins="Content-Disposition"),
    Option("storage_class", types.one_of("Standard", "IA", *ARCHIVES), "Standard", pins=STORAGE_CLASS_FIELD),
    Option(
        "metadata",
        types.table_of(
            r"[a-z0-9][a-z0-9-]{0,63}",
            HEADER,
            Message("a table of lower-case names and ASCII texts without $, 8KiB at most"),
            fits_metadata,
        ),
        pins=META_PREFIX,
    ),
    Option("confirm", types.FLAG, False, needs_setting="TOKEN_SECRET"),
    Option("read", types.one_of("owner", "callers"), excludes=IN_AN_ARCHIVE),
    Option("read_for", SESSION_SECONDS, 600, needs=("read",)),
    Option(
        "variants",
        types.table_of(
            NAME,
            r"[\x21-\x7e]{1,1024}",
            Message("a table of names and processing commands, {most} at most", most=MAX_VARIANTS),
            lambda table: len(table) <= MAX_VARIANTS,
        ),
        needs=("read",),
    ),
    Option("parts", types.FLAG, False, needs_setting="TOKEN_SECRET"),
    Option("part_size", types.size("100KiB", "100MiB"), "1MiB", needs=("parts",)),
    Option("parts_within", types.seconds(900, 604800), 86400, needs=("parts",)),
    # The shared store counts these exactly, with room to spare.
    Option("files_per_day", types.number(1, 10**9), needs_setting="QUOTA_URL"),
    Option("bytes_per_day", types.size("1", "1048576GiB"), needs_setting="QUOTA_URL"),
    Option(
        "hold",
        Type(Message('["commit"], ["check"] or ["commit", "check"]'), _hold),
        needs=("confirm|parts|callback",),
        excludes=IN_AN_ARCHIVE,
    ),
    Option("hold_days", types.number(1, 30), 1, needs=("hold",)),
    Option("commit_by", types.one_of("backend", "owner"), "backend", needs=("hold=commit",)),
    Option("check_scene", types.number(1, 4), 1, needs=("hold=check",)),
    Option("list", types.FLAG, False, needs_owner=True),
    Option("delete", types.one_of("owner"), needs_owner=True),
    Option("bucket", types.BUCKET, is_for_pages=True),
    Option("region", types.REGION, is_for_pages=True, needs=("bucket",)),
    Option("host", types.ORIGIN, is_for_pages=True),
    Option("role", types.ROLE_ARN, is_for_pages=True),
)
OPTION_NAMES = ("key", *(option.name for option in OPTIONS))


def read_profiles(
    text: str, *, default_signature: str, home: BucketLocation = NOWHERE
) -> tuple[dict[str, Profile], list[Problem]]:
    """
    Read every profile; return the valid ones by name, and a problem for each fault of the others.

    Args:
        home: location of the profiles that name none.
    """
    try:
        tables = tomllib.loads(text)
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
    given = {"signature": default_signature, "content_types": ["*/*"] if is_page else None, **table}
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
    pinned = {} if key.takes_filename else {**values, "acl": "private"} if hold else values
    fields = {
        **dict.fromkeys(Profile._fields),
        **{FIELDS.get(option, option): value for option, value in values.items()},
        "name": name,
        "key": key,
        "pinned": _pinned_fields(pinned),
        "read": values.get("read", ""),
        "delete": values.get("delete", ""),
        "variants": MappingProxyType(values.get("variants", {})),
        "hold": hold,
        "location": home.override(values),
    }
    return Profile(**{field: fields[field] for field in Profile._fields})


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
