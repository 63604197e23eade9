"""What the text of a setting may be, and the value it becomes."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from function.config.messages import Message
from function.config.profile import CHECK, COMMIT, MAX_FORM_BYTES

MIN_SECRET_BYTES = 32
RATE_UNITS = {"s": 1, "min": 60, "h": 3600}
# Patterns are compiled when a setting is given, for a cold start should not pay for those that are not.
ORIGIN_PATTERN = r"(https?)://([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?"
ADDRESS_PATTERN = rf"(?P<origin>{ORIGIN_PATTERN})(?P<path>/[^?#\s]*)(?P<query>\?[^#\s]*)?"
QUOTA_PATTERN = (
    r"memory:|redis(?P<tls>s)?://([^\s/@?#:]*:[^\s/@?#]+@)?([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?(/\d{1,3})?"
    r"(?(tls)(\?ssl_ca_certs=[^\s?#&]+)?)"
)
LOOPBACK = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/.*)?"


class Kind(NamedTuple):
    """
    One kind of value.

    Args:
        allowed: completes "it must be"; shown to the operator.

        read: the value of a text; raises ``ValueError``, whose text (if any) is the part that does not fit.
    """

    allowed: Message
    read: Callable[[str], Any]


class Rate(NamedTuple):
    """At most ``limit`` in any window of ``seconds`` that starts with a caller's first request."""

    limit: int
    seconds: int


def matching(pattern: str, allowed: Message) -> Kind:
    """A text of this form."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return Kind(allowed, read)


def one_of(*allowed: str) -> Kind:
    """One of these words."""

    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError
        return text

    return Kind(Message("one of {names}", names=", ".join(allowed)), read)


def seconds(least: int, most: int) -> Kind:
    """A duration, bounds included."""

    def read(text: str) -> timedelta:
        if not re.fullmatch(r"\d{1,9}", text) or not least <= int(text) <= most:
            raise ValueError
        return timedelta(seconds=int(text))

    return Kind(Message("whole seconds from {least} to {most}", least=least, most=most), read)


def any_text(allowed: Message) -> Kind:
    """A text whose form is not ours to judge, such as another service's secret."""
    return Kind(allowed, str)


def is_safe(url: str) -> bool:
    """Whether what is sent there stays private: HTTPS, or this machine."""
    return url.startswith("https://") or bool(re.fullmatch(LOOPBACK, url))


def _origin(text: str) -> str:
    if not re.fullmatch(ORIGIN_PATTERN, text) or not is_safe(text):
        raise ValueError
    return text


def _origins(text: str) -> frozenset[str]:
    values = [item.strip() for item in text.split(",") if item.strip()]
    if wrong := sorted(value for value in values if not re.fullmatch(ORIGIN_PATTERN, value)):
        raise ValueError(", ".join(wrong))
    return frozenset(values)


def _address(text: str) -> str:
    if not re.fullmatch(ADDRESS_PATTERN, text) or not is_safe(text):
        raise ValueError
    return text


def _callback_address(text: str) -> str:
    match = re.fullmatch(ADDRESS_PATTERN, _address(text))
    # A percent sign would be decoded once by the gateway and once for OSS's signature.
    if not match or match["query"] or "%" in text or not match["path"].endswith("/callback"):
        raise ValueError
    return text


def _rate(text: str) -> Rate:
    match = re.fullmatch(r"([1-9]\d{0,8})/(s|min|h)", text)
    if not match:
        raise ValueError
    return Rate(int(match[1]), RATE_UNITS[match[2]])


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _hours(text: str) -> timedelta:
    try:
        quarters = float(text) * 4
    except ValueError:
        raise ValueError from None
    if not quarters.is_integer() or not -12 <= quarters / 4 <= 14:
        raise ValueError
    return timedelta(minutes=15 * quarters)


def _header_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", text):
        raise ValueError
    return text.lower()


def _secrets(text: str) -> tuple[str, ...]:
    secrets = tuple(item.strip() for item in text.split(",") if item.strip())
    if not secrets or any(len(secret) < MIN_SECRET_BYTES or len(set(secret)) == 1 for secret in secrets):
        raise ValueError
    return secrets


BUCKET = matching(
    r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", Message("3 to 63 lower-case letters, digits and hyphens")
)
REGION = matching(r"(?!oss-)[a-z]{2,3}(-[a-z0-9]+)+", Message("a region id such as cn-hangzhou"))
ROLE_ARN = matching(r"acs:ram::\d+:role/[A-Za-z0-9.@_-]+", Message("acs:ram::<account>:role/<name>"))
ORIGIN = Kind(Message("https://host[:port] without a path (http only for loopback)"), _origin)
ORIGINS = Kind(Message("origins such as https://www.example.com, never *"), _origins)
ADDRESS = Kind(Message("an https address with a path"), _address)
CALLBACK_ADDRESS = Kind(
    Message("the public https address of this function's /callback, without a query"), _callback_address
)
FLAG = Kind(Message("true or false"), _flag)
HEADER_NAME = Kind(Message("the name of a header, such as Ali-Cdn-Real-Ip"), _header_name)
HOURS = Kind(Message("hours from -12 to 14, in quarters, such as 8 or 5.5"), _hours)
QUOTA_ADDRESS = matching(
    QUOTA_PATTERN,
    Message("memory:, redis://[user:password@]host[:port][/database], or the same with rediss: for TLS"),
)
PUSH_TOKEN = matching(
    "[A-Za-z0-9]{3,32}", Message("the Token of the message push: 3 to 32 letters and digits")
)
PUSH_AES_KEY = matching(
    "[A-Za-z0-9]{43}", Message("the EncodingAESKey of the message push: 43 letters and digits")
)
RATE = Kind(Message("a number over s, min or h, such as 60/min"), _rate)
SECRETS = Kind(
    Message("at least {least} random bytes in each comma-separated part", least=MIN_SECRET_BYTES), _secrets
)


KIB = 1024
MIB, GIB = KIB**2, KIB**3
UNITS = {"": 1, "KiB": KIB, "MiB": MIB, "GiB": GIB}
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


def option_seconds(least: int, most: int) -> Callable[[str, Any], timedelta]:
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


def option_one_of(*allowed: str) -> Callable[[str, Any], str]:
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
    return "" if value is None else option_one_of("owner", "callers")(name, value)


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
