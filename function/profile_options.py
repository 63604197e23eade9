"""Every option of a profile, one row each: what it may be, what it is without, what it pins."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from function.phrase import Phrase

KIB = 1024
UNITS = {"": 1, "KiB": KIB, "MiB": KIB**2, "GiB": KIB**3}
MAX_OBJECT_BYTES = 5 * KIB**3
MAX_METADATA_BYTES = 8 * KIB
ANY_TYPE = ("*/*",)
SIGNATURE_VERSIONS = ("v4", "v1")
TYPE_PATTERN = r"\*/\*|[a-z0-9][a-z0-9.+_-]*/(\*|[a-z0-9][a-z0-9.+_-]*)"
# Printable ASCII without the dollar sign, which a policy would have to escape.
HEADER_VALUE = r"[\x20-\x23\x25-\x7e]{1,1024}"
METADATA_NAME = r"[a-z0-9][a-z0-9-]{0,63}"
# Of a profile, and of a variant.
NAME = r"[A-Za-z0-9_-]{1,64}"
PROCESS_VALUE = r"[\x21-\x7e]{1,1024}"
MAX_VARIANTS = 64


class Option(NamedTuple):
    """
    One option.

    Args:
        read: the value of what the file holds; raises ``ValueError`` with clauses for the operator.

        default: as it would be written; ``None`` where an absent option has no value.

        is_for_pages: whether a ``{filename}`` profile may set it. A classic page sends no fields of ours,
            so nothing else could be promised to hold.

        pins: the form field, under OSS's name, that carries the value.
    """

    name: str
    read: Callable[[str, Any], Any]
    default: Any = None
    is_for_pages: bool = False
    pins: str = ""


def _size(name: str, value: Any) -> int:
    # Of what TOML has, only a whole number and a text are written like this; 1.0 and true are not.
    match = re.fullmatch(r"(\d{1,15})\s*(KiB|MiB|GiB)?", str(value))
    if not match:
        raise ValueError(
            Phrase(
                "{name} = {value!r} must be bytes, or a number of KiB, MiB or GiB, such as 10MiB",
                name=name,
                value=value,
            )
        )
    size = int(match[1]) * UNITS[match[2] or ""]
    if size > MAX_OBJECT_BYTES:
        raise ValueError(
            Phrase("{name} = {value!r} is over the 5GiB that OSS takes in one form", name=name, value=value)
        )
    return size


def _max_size(name: str, value: Any) -> int:
    if value is None:
        raise ValueError(Phrase('{name} is missing, such as "10MiB"', name=name))
    size = _size(name, value)
    if size == 0:
        raise ValueError(Phrase("{name} must be at least 1 byte", name=name))
    return size


def _content_types(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise ValueError(Phrase('{name} must be a list such as ["image/jpeg", "image/*"]', name=name))
    wrong = [item for item in value if not isinstance(item, str) or not re.fullmatch(TYPE_PATTERN, item)]
    if wrong:
        raise ValueError(
            *(
                Phrase(
                    "{name} has {item!r}; allowed: type/subtype, type/* or */*, lower case",
                    name=name,
                    item=item,
                )
                for item in wrong
            )
        )
    return tuple(value)


def _seconds(name: str, value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 43200:
        raise ValueError(
            Phrase("{name} = {value!r} must be whole seconds from 1 to 43200", name=name, value=value)
        )
    return timedelta(seconds=value)


def _flag(name: str, value: Any) -> bool:
    if value is not True and value is not False:
        raise ValueError(Phrase("{name} = {value!r} must be true or false", name=name, value=value))
    return bool(value)


def _one_of(*allowed: str) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if value not in allowed:
            names = ", ".join(allowed)
            raise ValueError(
                Phrase("{name} = {value!r} must be one of {names}", name=name, value=value, names=names)
            )
        return str(value)

    return read


def _readers(name: str, value: Any) -> str:
    """Empty where nobody reads through the function."""
    return "" if value is None else _one_of("owner", "callers")(name, value)


def _header(name: str, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(HEADER_VALUE, value):
        raise ValueError(Phrase("{name} must be 1 to 1024 printable ASCII characters without $", name=name))
    return value


def _metadata(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        clause = Phrase("{name} must be a table of names and texts", name=name)
        raise ValueError(clause)  # noqa: TRY004 - a clause, not a bug
    wrong = [
        Phrase("{name} name {key!r} must be lower-case letters, digits and hyphens", name=name, key=key)
        for key in value
        if not re.fullmatch(METADATA_NAME, key)
    ]
    for key, item in value.items():
        try:
            _header(f"{name}.{key}", item)
        except ValueError as error:
            wrong += error.args
    if sum(len(key) + len(str(item)) for key, item in value.items()) > MAX_METADATA_BYTES:
        wrong.append(Phrase("{name} is over the 8KiB that OSS keeps for one object", name=name))
    if wrong:
        raise ValueError(*wrong)
    return value


def _variants(name: str, value: Any) -> dict[str, str]:
    variants = {} if value is None else value
    if not isinstance(variants, dict):
        clause = Phrase("{name} must be a table of names and texts", name=name)
        raise ValueError(clause)  # noqa: TRY004 - a clause, not a bug
    wrong = [
        Phrase("{name} name {key!r} must be 1 to 64 letters, digits, _ or -", name=name, key=key)
        for key in variants
        if not re.fullmatch(NAME, key)
    ]
    wrong += [
        Phrase(
            "{name}.{key} must be a value of x-oss-process: 1 to 1024 visible ASCII characters",
            name=name,
            key=key,
        )
        for key, item in variants.items()
        if not isinstance(item, str) or not re.fullmatch(PROCESS_VALUE, item)
    ]
    if len(variants) > MAX_VARIANTS:
        wrong.append(Phrase("{name} has more than {most} names", name=name, most=MAX_VARIANTS))
    if wrong:
        raise ValueError(*wrong)
    return variants


OPTIONS = (
    Option("max_size", _max_size, is_for_pages=True),
    Option("min_size", _size, 1, is_for_pages=True),
    Option("content_types", _content_types, is_for_pages=True),
    Option("expires_in", _seconds, 300, is_for_pages=True),
    Option("acl", _one_of("default", "private", "public-read"), "default", pins="x-oss-object-acl"),
    Option("overwrite", _flag, False),
    Option("callback", _flag, False, is_for_pages=True),
    Option("signature", _one_of(*SIGNATURE_VERSIONS), is_for_pages=True),
    Option("cache_control", _header, pins="Cache-Control"),
    Option("content_disposition", _header, pins="Content-Disposition"),
    Option(
        "storage_class",
        _one_of("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"),
        "Standard",
        pins="x-oss-storage-class",
    ),
    Option("metadata", _metadata, pins="x-oss-meta-"),
    Option("confirm", _flag, False),
    Option("read", _readers),
    Option("read_for", _seconds, 600),
    Option("variants", _variants),
)
OPTION_NAMES = ("key", *(option.name for option in OPTIONS))
PAGE_OPTION_NAMES = ("key", *(option.name for option in OPTIONS if option.is_for_pages))


def read_options(
    table: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Phrase]]:
    """
    The values of a profile's options, and what is wrong with them.

    Args:
        defaults: instead of the rows' own, where it depends on more than the table.

    Returns:
        values by name (of what is wrong, none), and clauses that begin with the option's name.
    """
    values: dict[str, Any] = {}
    found: list[Phrase] = []
    for option in OPTIONS:
        value = table.get(option.name, defaults.get(option.name, option.default))
        if value is None and option.pins:
            continue
        try:
            values[option.name] = option.read(option.name, value)
        except ValueError as error:
            found += error.args
    return values, found


def pinned_fields(values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The form fields that options fix, each under OSS's name with its one value."""
    fields: list[tuple[str, str]] = []
    for option in OPTIONS:
        value = values.get(option.name)
        if not option.pins or value is None:
            continue
        if isinstance(value, dict):
            fields += [(f"{option.pins}{name}", item) for name, item in value.items()]
        else:
            fields.append((option.pins, value))
    return tuple(fields)
