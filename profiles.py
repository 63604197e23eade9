"""
``profiles.toml`` becomes validated profiles, and the least an STS session needs to serve them.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

KIB = 1024
UNITS = {"": 1, "KiB": KIB, "MiB": KIB**2, "GiB": KIB**3}
MAX_OBJECT_BYTES = 5 * KIB**3
MAX_KEY_BYTES = 1023
MAX_SESSION_POLICY_CHARACTERS = 2048
MAX_METADATA_BYTES = 8 * KIB
# What an expanded placeholder can take at most, for the check of the key's length.
PLACEHOLDER_BYTES = {"owner": 26, "yyyy": 4, "mm": 2, "dd": 2, "id": 22, "ext": 11, "filename": 0}

ACLS = ("default", "private", "public-read")
STORAGE_CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
SIGNATURE_VERSIONS = ("v4", "v1")
ANY_TYPE = ("*/*",)

OPTIONS = frozenset(
    "key max_size min_size content_types expires_in acl overwrite callback signature"
    " cache_control content_disposition storage_class metadata".split()
)
# A classic page sends no fields of ours, so nothing else could be promised to hold.
FILENAME_OPTIONS = frozenset("key max_size min_size content_types expires_in signature callback".split())

PROFILE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
SIZE = re.compile(r"(\d{1,15})\s*(KiB|MiB|GiB)?")
TYPE_PATTERN = re.compile(r"\*/\*|[a-z0-9][a-z0-9.+_-]*/(\*|[a-z0-9][a-z0-9.+_-]*)")
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Printable ASCII without the dollar sign, which a policy would have to escape.
HEADER_VALUE = re.compile(r"[\x20-\x23\x25-\x7e]{1,1024}")
METADATA_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Profile(NamedTuple):
    """
    What may be uploaded for one purpose.

    Args:
        key: template of the object key.

        content_types: ``type/subtype``, ``type/*`` or ``*/*``, lower case.

        expires_in: how long a form lives.

        headers: further form fields with their values, under OSS's names, each pinned as it is.
    """

    name: str
    key: str
    max_size_bytes: int
    min_size_bytes: int
    content_types: tuple[str, ...]
    expires_in: timedelta
    acl: str
    overwrite: bool
    callback: bool
    signature_version: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def takes_filename(self) -> bool:
        """Whether the page chooses the name under the folder (the shape of the sample servers)."""
        return self.key.endswith("{filename}")

    @property
    def literal_folder(self) -> str:
        """The fixed start of every key, up to and with its last ``/`` before a placeholder."""
        return self.key[: self.key.index("{")].rpartition("/")[0] + "/"

    def admits(self, content_type: str) -> bool:
        main, slash, _ = content_type.partition("/")
        return any(allowed in (content_type, f"{main}{slash}*", "*/*") for allowed in self.content_types)


def read_profiles(text: str, *, default_signature: str, problems: list[str]) -> dict[str, Profile]:
    """
    Read every profile, adding a sentence to ``problems`` for each thing that is wrong.

    Args:
        text: TOML, one table a profile.
    """
    try:
        tables = tomllib.loads(text)
    # Besides its own errors the parser lets through those of deep nesting and of enormous numbers.
    except (ValueError, RecursionError) as error:
        problems.append(f"profiles.toml is not TOML: {error}")
        return {}
    if not tables:
        problems.append("profiles.toml has no profile; it needs at least one table such as [default]")
    profiles = {}
    for name, table in tables.items():
        if not isinstance(table, dict):
            problems.append(f"profiles.toml: {name!r} must be a table of options: [{name}]")
        elif not PROFILE_NAME.fullmatch(name):
            problems.append(f"profiles.toml: [{name}] must be named with 1 to 64 letters, digits, _ or -")
        elif profile := _read_profile(name, table, default_signature, problems):
            profiles[name] = profile
    _check_folders_apart(profiles.values(), problems)
    return profiles


def session_policy(bucket: str, profiles: Iterable[Profile]) -> str:
    """
    The RAM document that narrows an assumed role to what the profiles can write, as JSON text.

    ``oss:PutObjectAcl`` is there because no page says whether an ACL in a form needs it; folders
    whose forms pin no ACL do not get it, so that there the ACL stays out of the client's hands.
    """
    pinned: set[str] = set()
    open_names: set[str] = set()
    for profile in profiles:
        (open_names if profile.takes_filename else pinned).add(profile.literal_folder)
    statements = [
        {
            "Effect": "Allow",
            "Action": actions,
            "Resource": [f"acs:oss:*:*:{bucket}/{folder}*" for folder in sorted(folders)],
        }
        for actions, folders in (
            (["oss:PutObject", "oss:PutObjectAcl"], pinned),
            (["oss:PutObject"], open_names),
        )
        if folders
    ]
    return json.dumps({"Version": "1", "Statement": statements}, separators=(",", ":"), ensure_ascii=False)


def _read_profile(
    name: str, table: Mapping[str, Any], default_signature: str, problems: list[str]
) -> Profile | None:
    found: list[str] = []
    key = table.get("key")
    takes_filename = isinstance(key, str) and key.endswith("{filename}")
    allowed = FILENAME_OPTIONS if takes_filename else OPTIONS
    for option in sorted(set(table) - allowed):
        kind = "a profile whose key ends in {filename}" if option in OPTIONS else "a profile"
        found.append(f"{option} is no option of {kind}; allowed: {', '.join(sorted(allowed))}")
    _check_key(key, found)
    max_size = _size(table, "max_size", None, found)
    min_size = _size(table, "min_size", 1, found)
    if min_size > max_size > 0:
        found.append(f"min_size ({min_size}) must not be over max_size ({max_size})")
    content_types = _content_types(table, takes_filename, found)
    profile = Profile(
        name=name,
        key=key if isinstance(key, str) else "",
        max_size_bytes=max_size,
        min_size_bytes=min_size,
        content_types=content_types,
        expires_in=_seconds(table, found),
        acl=_choice(table, "acl", ACLS, "default", found),
        overwrite=_flag(table, "overwrite", found),
        callback=_flag(table, "callback", found),
        signature_version=_choice(table, "signature", SIGNATURE_VERSIONS, default_signature, found),
        headers=_headers(table, found),
    )
    problems.extend(f"profiles.toml [{name}]: {problem}" for problem in found)
    return None if found else profile


def _check_key(key: Any, found: list[str]) -> None:
    if not isinstance(key, str) or not key:
        found.append('key is missing, such as "uploads/{owner}/{id}{ext}"')
        return
    names = PLACEHOLDER.findall(key)
    literal = PLACEHOLDER.sub("", key)
    for name in sorted({name for name in names if name not in PLACEHOLDER_BYTES}):
        allowed = ", ".join("{" + known + "}" for known in PLACEHOLDER_BYTES)
        found.append(f"key has {{{name}}}; allowed: {allowed}")
    if "{" in literal or "}" in literal:
        found.append("key has a { or } that opens or closes no placeholder")
    # A star or question mark would be a wildcard in the session policy; a dollar sign would be
    # expanded by OSS after the policy was checked.
    if bad := sorted({mark for mark in literal if mark in "$*?\\" or ord(mark) < 32 or mark == "\x7f"}):
        found.append(f"key must not hold {', '.join(map(repr, bad))}")
    _check_folder(key, found)
    if key.endswith("{filename}"):
        if names.count("filename") > 1 or "{ext}" in key or not key.endswith("/{filename}"):
            found.append("key with {filename} must end in /{filename}, once, and without {ext}")
    elif "filename" in names:
        found.append("key may have {filename} only as its end")
    elif "id" not in names:
        found.append("key must have {id}, so that no two uploads share a name (or end in {filename})")
    longest = len(literal.encode()) + sum(PLACEHOLDER_BYTES.get(name, 0) for name in names)
    if longest > MAX_KEY_BYTES:
        found.append(f"key may become {longest} bytes long; OSS allows {MAX_KEY_BYTES}")


def _check_folder(key: str, found: list[str]) -> None:
    folder = key.partition("{")[0].rpartition("/")[0]
    if not folder or key.startswith("/"):
        found.append("key must start with a folder of fixed text, such as uploads/")
    if any(part in ("", ".", "..") for part in key.lstrip("/").split("/")):
        found.append("key must not have empty, . or .. parts")


def _check_folders_apart(profiles: Iterable[Profile], problems: list[str]) -> None:
    """
    Refuse a ``{filename}`` folder that overlaps one whose forms pin an ACL.

    The session may set ACLs in the latter, so a page that chooses its own key (and sends its own
    ACL, which no condition of its form forbids) could make an object there public.
    """
    open_names = [profile for profile in profiles if profile.takes_filename]
    pinned = [profile for profile in profiles if not profile.takes_filename]
    for page in open_names:
        for other in pinned:
            ours, theirs = page.literal_folder, other.literal_folder
            if ours.startswith(theirs) or theirs.startswith(ours):
                problems.append(
                    f"profiles.toml [{page.name}]: key with {{filename}} needs a folder of its own;"
                    f" {ours} overlaps {theirs} of [{other.name}]"
                )


def _size(table: Mapping[str, Any], option: str, default: int | None, found: list[str]) -> int:
    value = table.get(option, default)
    if value is None:
        found.append(f'{option} is missing, such as "10MiB"')
        return 0
    match = SIZE.fullmatch(str(value)) if isinstance(value, int | str) and value is not True else None
    if not match or value is False:
        found.append(f"{option} = {value!r} must be bytes, or a number of KiB, MiB or GiB, such as 10MiB")
        return 0
    size = int(match[1]) * UNITS[match[2] or ""]
    if size > MAX_OBJECT_BYTES:
        found.append(f"{option} = {value!r} is over the 5GiB that OSS takes in one form")
    elif size == 0 and option == "max_size":
        found.append("max_size must be at least 1 byte")
    return size


def _content_types(table: Mapping[str, Any], takes_filename: bool, found: list[str]) -> tuple[str, ...]:
    value = table.get("content_types", list(ANY_TYPE) if takes_filename else None)
    if not isinstance(value, list) or not value:
        found.append('content_types must be a list such as ["image/jpeg", "image/*"]')
        return ()
    for item in value:
        if not isinstance(item, str) or not TYPE_PATTERN.fullmatch(item):
            found.append(f"content_types has {item!r}; allowed: type/subtype, type/* or */*, lower case")
    if takes_filename and value != list(ANY_TYPE):
        found.append(
            'content_types must be ["*/*"] where key ends in {filename}: no form field pins the type'
        )
    return tuple(map(str, value))


def _seconds(table: Mapping[str, Any], found: list[str]) -> timedelta:
    value = table.get("expires_in", 300)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 43200:
        found.append(f"expires_in = {value!r} must be whole seconds from 1 to 43200")
        return timedelta(seconds=1)
    return timedelta(seconds=value)


def _choice(
    table: Mapping[str, Any], option: str, allowed: tuple[str, ...], default: str, found: list[str]
) -> str:
    value = table.get(option, default)
    if value not in allowed:
        found.append(f"{option} = {value!r} must be one of {', '.join(allowed)}")
    return str(value)


def _flag(table: Mapping[str, Any], option: str, found: list[str]) -> bool:
    value = table.get(option, False)
    if not isinstance(value, bool):
        found.append(f"{option} = {value!r} must be true or false")
    return value is True


def _headers(table: Mapping[str, Any], found: list[str]) -> tuple[tuple[str, str], ...]:
    headers = []
    for option, field in (("cache_control", "Cache-Control"), ("content_disposition", "Content-Disposition")):
        if option in table:
            headers.append((field, _header_value(table[option], option, found)))
    if "storage_class" in table:
        value = _choice(table, "storage_class", STORAGE_CLASSES, "", found)
        headers.append(("x-oss-storage-class", value))
    metadata = table.get("metadata", {})
    if not isinstance(metadata, dict):
        found.append("metadata must be a table of names and texts")
        return tuple(headers)
    for name, value in metadata.items():
        if not METADATA_NAME.fullmatch(name):
            found.append(f"metadata name {name!r} must be lower-case letters, digits and hyphens")
        headers.append((f"x-oss-meta-{name}", _header_value(value, f"metadata.{name}", found)))
    if sum(len(name) + len(str(value)) for name, value in metadata.items()) > MAX_METADATA_BYTES:
        found.append("metadata is over the 8KiB that OSS keeps for one object")
    return tuple(headers)


def _header_value(value: Any, option: str, found: list[str]) -> str:
    if not isinstance(value, str) or not HEADER_VALUE.fullmatch(value):
        found.append(f"{option} must be 1 to 1024 printable ASCII characters without $")
    return str(value)
