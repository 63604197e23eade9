"""What the value of a profile's option may be: each reads what the file holds, or says what is allowed."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from function.config.messages import Message

KIB = 1024
MIB, GIB = KIB**2, KIB**3
UNITS = {"": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB}
# What OSS takes in one form, and what an upload in parts may have here; OSS itself takes more.
MAX_FORM_BYTES = 5 * GIB
MAX_PARTED_BYTES = 48 * GIB
# OSS takes no smaller part but the last one. A larger one than this no phone sends in one go.
PART_BYTES = (100 * KIB, 100 * MIB)
# What the shared store counts exactly, with room to spare.
MAX_DAILY_FILES, MAX_DAILY_BYTES = 10**9, 1024**2 * GIB
MAX_METADATA_BYTES = 8 * KIB
TYPE_PATTERN = r"\*/\*|[a-z0-9][a-z0-9.+_-]*/(\*|[a-z0-9][a-z0-9.+_-]*)"
# Printable ASCII without the dollar sign, which a policy would have to escape.
HEADER_VALUE = r"[\x20-\x23\x25-\x7e]{1,1024}"
METADATA_NAME = r"[a-z0-9][a-z0-9-]{0,63}"
# Under this name an object that was made of parts, or held back, keeps the id of its upload.
UPLOAD_ID_METADATA = "upload-id"
META_PREFIX = "x-oss-meta-"
# The steps of what is held back.
COMMIT, CHECK = "commit", "check"
# Of a profile, and of a variant.
NAME = r"[A-Za-z0-9_-]{1,64}"
PROCESS_VALUE = r"[\x21-\x7e]{1,1024}"
MAX_VARIANTS = 64


def size(name: str, value: Any) -> int:
    """Bytes that one form may carry: a number, or a text with a unit."""
    count = _bytes(name, value)
    if count > MAX_FORM_BYTES:
        raise ValueError(
            Message("{name} = {value!r} is over the 5GiB that OSS takes in one form", name=name, value=value)
        )
    return count


def max_size(name: str, value: Any) -> int:
    """Bytes that parts may make together; it must be said, and is not zero."""
    if value is None:
        raise ValueError(Message('{name} is missing, such as "10MiB"', name=name))
    count = _bytes(name, value)
    if count == 0:
        raise ValueError(Message("{name} must be at least 1 byte", name=name))
    if count > MAX_PARTED_BYTES:
        raise ValueError(
            Message("{name} = {value!r} is over the 48GiB of an upload in parts", name=name, value=value)
        )
    return count


def part_size(name: str, value: Any) -> int:
    """Bytes of each part but the last."""
    least, most = PART_BYTES
    count = _bytes(name, value)
    if not least <= count <= most:
        raise ValueError(Message("{name} = {value!r} must be from 100KiB to 100MiB", name=name, value=value))
    return count


def daily_files(name: str, value: Any) -> int | None:
    """How many forms an owner gets in a day; ``None`` where they are not counted."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_DAILY_FILES:
        raise ValueError(
            Message(
                "{name} = {value!r} must be a whole number from 1 to {most}",
                name=name,
                value=value,
                most=MAX_DAILY_FILES,
            )
        )
    return value


def daily_bytes(name: str, value: Any) -> int | None:
    """How many bytes an owner's forms of a day admit together; ``None`` where they are not counted."""
    if value is None:
        return None
    count = _bytes(name, value)
    if not 1 <= count <= MAX_DAILY_BYTES:
        raise ValueError(
            Message("{name} = {value!r} must be from 1 byte to 1048576GiB", name=name, value=value)
        )
    return count


def _bytes(name: str, value: Any) -> int:
    # Of what TOML has, only a whole number and a text are written like this; 1.0 and true are not.
    match = re.fullmatch(r"(\d{1,15})\s*(KiB|MiB|GiB)?", str(value))
    if not match:
        raise ValueError(
            Message(
                "{name} = {value!r} must be bytes, or a number of KiB, MiB or GiB, such as 10MiB",
                name=name,
                value=value,
            )
        )
    return int(match[1]) * UNITS[match[2] or ""]


def content_types(name: str, value: Any) -> tuple[str, ...]:
    """Types and wildcards, lower case."""
    if not isinstance(value, list) or not value:
        raise ValueError(Message('{name} must be a list such as ["image/jpeg", "image/*"]', name=name))
    wrong = [item for item in value if not isinstance(item, str) or not re.fullmatch(TYPE_PATTERN, item)]
    if wrong:
        raise ValueError(
            *(
                Message(
                    "{name} has {item!r}; allowed: type/subtype, type/* or */*, lower case",
                    name=name,
                    item=item,
                )
                for item in wrong
            )
        )
    return tuple(value)


def seconds(least: int, most: int) -> Callable[[str, Any], timedelta]:
    """A duration, bounds included."""

    def read(name: str, value: Any) -> timedelta:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(
                Message(
                    "{name} = {value!r} must be whole seconds from {least} to {most}",
                    name=name,
                    value=value,
                    least=least,
                    most=most,
                )
            )
        return timedelta(seconds=value)

    return read


def whole_number(least: int, most: int) -> Callable[[str, Any], int]:
    """A number, bounds included."""

    def read(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(
                Message(
                    "{name} = {value!r} must be a whole number from {least} to {most}",
                    name=name,
                    value=value,
                    least=least,
                    most=most,
                )
            )
        return value

    return read


def flag(name: str, value: Any) -> bool:
    """True or false."""
    if value is not True and value is not False:
        raise ValueError(Message("{name} = {value!r} must be true or false", name=name, value=value))
    return bool(value)


def one_of(*allowed: str) -> Callable[[str, Any], str]:
    """One of these words."""

    def read(name: str, value: Any) -> str:
        if value not in allowed:
            names = ", ".join(allowed)
            raise ValueError(
                Message("{name} = {value!r} must be one of {names}", name=name, value=value, names=names)
            )
        return str(value)

    return read


def readers(name: str, value: Any) -> str:
    """Empty where nobody reads through the function."""
    return "" if value is None else one_of("owner", "callers")(name, value)


def steps(name: str, value: Any) -> tuple[str, ...]:
    """What must happen before an object is published, in this order; nothing where it is at once."""
    if value is None:
        return ()
    if value not in ([COMMIT], [CHECK], [COMMIT, CHECK]):
        raise ValueError(
            Message(
                '{name} = {value!r} must be ["commit"], ["check"] or ["commit", "check"]',
                name=name,
                value=value,
            )
        )
    return tuple(value)


def header(name: str, value: Any) -> str:
    """What a form field may pin."""
    if not isinstance(value, str) or not re.fullmatch(HEADER_VALUE, value):
        raise ValueError(Message("{name} must be 1 to 1024 printable ASCII characters without $", name=name))
    return value


def metadata(name: str, value: Any) -> dict[str, str]:
    """Names and texts, as much as OSS keeps for one object."""
    if not isinstance(value, dict):
        clause = Message("{name} must be a table of names and texts", name=name)
        raise ValueError(clause)  # noqa: TRY004 - a clause, not a bug
    wrong = [
        Message("{name} name {key!r} must be lower-case letters, digits and hyphens", name=name, key=key)
        for key in value
        if not re.fullmatch(METADATA_NAME, key)
    ]
    for key, item in value.items():
        try:
            header(f"{name}.{key}", item)
        except ValueError as error:
            wrong += error.args
    if metadata_bytes(value) > MAX_METADATA_BYTES:
        wrong.append(Message("{name} is over the 8KiB that OSS keeps for one object", name=name))
    if wrong:
        raise ValueError(*wrong)
    return value


def metadata_bytes(metadata: Mapping[str, Any]) -> int:
    """How much of what OSS keeps for one object this takes."""
    return sum(len(key) + len(str(item)) for key, item in metadata.items())


def variants(name: str, value: Any) -> dict[str, str]:
    """Names and values of ``x-oss-process``."""
    table = {} if value is None else value
    if not isinstance(table, dict):
        clause = Message("{name} must be a table of names and texts", name=name)
        raise ValueError(clause)  # noqa: TRY004 - a clause, not a bug
    wrong = [
        Message("{name} name {key!r} must be 1 to 64 letters, digits, _ or -", name=name, key=key)
        for key in table
        if not re.fullmatch(NAME, key)
    ]
    wrong += [
        Message(
            "{name}.{key} must be a value of x-oss-process: 1 to 1024 visible ASCII characters",
            name=name,
            key=key,
        )
        for key, item in table.items()
        if not isinstance(item, str) or not re.fullmatch(PROCESS_VALUE, item)
    ]
    if len(table) > MAX_VARIANTS:
        wrong.append(Message("{name} has more than {most} names", name=name, most=MAX_VARIANTS))
    if wrong:
        raise ValueError(*wrong)
    return table
