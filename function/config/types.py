"""Types of settings and profile options."""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

from function.annotations import Any, NamedTuple
from function.messages import Message

MIN_SECRET_BYTES = 32
# Of a title, in characters.
MAX_TITLE = 12
RATE_UNITS = {"s": 1, "min": 60, "h": 3600}
MAX_RATE_DIGITS = 9
SIZE_UNITS = {"": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
# Patterns are compiled with the first value: a cold start does not pay for settings that are not set.
ORIGIN_PATTERN = r"(https?)://([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?"
ADDRESS_PATTERN = rf"(?P<origin>{ORIGIN_PATTERN})(?P<path>/[^?#\s]*)(?P<query>\?[^#\s]*)?"
HOST_NAME = r"(?=.{1,254}$)([A-Za-z0-9-]{1,63}\.)*[A-Za-z0-9-]{1,63}\.?"
LOOPBACK = r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?(/.*)?"


class Type(NamedTuple):
    """
    Type of a setting or a profile option.

    Args:
        allowed: completes "it must be"; shown to the operator.
        read: returns the value of what TOML holds; raises ``ValueError``, whose text, if any, is the part
            that does not fit.
        from_text: what TOML would hold, for the text of a setting.
    """

    allowed: Message
    read: Callable[[Any], Any]
    from_text: Callable[[str], Any] = str

    def refusal(self, name: str, value: object, error: ValueError, *, is_secret: bool = False) -> Message:
        """Return the sentence for a value that ``read`` refused; it never shows a secret."""
        if is_secret:
            return Message("{name} must be {allowed}", name=name, allowed=self.allowed)
        if not error.args:
            return Message(
                "{name} = {value!r} must be {allowed}", name=name, value=value, allowed=self.allowed
            )
        (part,) = error.args
        return Message(
            "{name} has {part!r}; it must be {allowed}", name=name, part=part, allowed=self.allowed
        )

    def missing(self, name: str) -> Message:
        return Message("{name} is missing; it must be {allowed}", name=name, allowed=self.allowed)


class Rate(NamedTuple):
    """At most ``limit`` in any window of ``seconds`` that starts with a caller's first request."""

    limit: int
    seconds: int


def matching(pattern: str, allowed: Message) -> Type:
    """Return the type of an ASCII text of this form."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError
        return value

    return Type(allowed, read)


def one_of(*allowed: str) -> Type:
    """Return the type of one of these words."""

    def read(value: Any) -> str:
        if value not in allowed:
            raise ValueError
        return str(value)

    return Type(Message("one of {names}", names=", ".join(allowed)), read)


def some_of(*allowed: str) -> Type:
    """Return the type of several of these words, or one, with commas between."""

    def read(text: str) -> frozenset[str]:
        names = frozenset(item.strip() for item in text.split(",") if item.strip())
        if not names <= {*allowed}:
            raise ValueError(", ".join(sorted(names - {*allowed})))
        return names

    return Type(Message("one or several of {names}, with commas between", names=", ".join(allowed)), read)


def number(least: int, most: int) -> Type:
    """Return the type of a whole number, bounds included."""

    def read(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError
        return value

    return Type(Message("a whole number from {least} to {most}", least=least, most=most), read, _number)


def seconds(least: int, most: int) -> Type:
    """Return the type of a duration in whole seconds, bounds included."""
    whole = number(least, most)
    allowed = Message("whole seconds from {least} to {most}", least=least, most=most)
    return Type(allowed, lambda value: timedelta(seconds=whole.read(value)), _number)


def size(least: str, most: str) -> Type:
    """Return the type of a number of bytes, bounds included."""

    def read(value: Any) -> int:
        count = _bytes(value)
        if not _bytes(least) <= count <= _bytes(most):
            raise ValueError
        return count

    return Type(Message("a size from {least} to {most}, such as 10MiB", least=least, most=most), read)


def list_of(pattern: str, allowed: Message, made_of: Callable[[list[str]], tuple[str, ...]] = tuple) -> Type:
    """Return the type of a list of texts of this form, one at least; its value is ``made_of`` them."""

    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not value:
            raise ValueError
        for item in value:
            if not isinstance(item, str) or not re.fullmatch(pattern, item):
                raise ValueError(item)
        return made_of(value)

    return Type(allowed, read)


def table_of(names: str, texts: str, allowed: Message, fits: Callable[[Mapping[str, str]], bool]) -> Type:
    """Return the type of a table whose names and texts have these forms, and that ``fits``."""

    def read(value: Any) -> dict[str, str]:
        if not isinstance(value, dict):
            raise ValueError  # noqa: TRY004 - a refusal, not a bug
        for name, text in value.items():
            if not re.fullmatch(names, name) or not isinstance(text, str) or not re.fullmatch(texts, text):
                raise ValueError(name)
        if not fits(value):
            raise ValueError(f"{len(value)} names")
        return value

    return Type(allowed, read)


def is_safe(url: str) -> bool:
    """Return whether requests to this URL stay private: HTTPS, or this machine."""
    return url.startswith("https://") or bool(re.fullmatch(LOOPBACK, url))


def names_a_host(url: str) -> bool:
    """Return whether a connection to the host and port of this URL can be tried at all."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    # It reads ports up to 65535, and between brackets nothing but an IPv6 address.
    except ValueError:
        return False
    return port != 0 and (":" in host or re.fullmatch(HOST_NAME, host) is not None)


def _number(text: str) -> int | str:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else text


def _bytes(value: Any) -> int:
    # Of TOML's values only whole numbers and texts look like this; 1.0 and true do not.
    match = re.fullmatch(r"([0-9]{1,15})\s*(KiB|MiB|GiB)?", str(value))
    if not match:
        raise ValueError
    return int(match[1]) * SIZE_UNITS[match[2] or ""]


def _flag(value: Any) -> bool:
    if value is not True and value is not False:
        raise ValueError
    return bool(value)


def _safe(pattern: str, allowed: Message) -> Type:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError
        if not is_safe(value) or not names_a_host(value):
            raise ValueError
        return value

    return Type(allowed, read)


def _origins(text: str) -> frozenset[str]:
    values = [item.strip() for item in text.split(",") if item.strip()]
    if wrong := sorted(value for value in values if not re.fullmatch(ORIGIN_PATTERN, value)):
        raise ValueError(", ".join(wrong))
    return frozenset(values)


def _callback_address(text: str) -> str:
    match = re.fullmatch(ADDRESS_PATTERN, ADDRESS.read(text))
    # A percent sign would be decoded once by the gateway and once for OSS's signature.
    if not match or match["query"] or "%" in text or not match["path"].endswith("/callback"):
        raise ValueError
    return text


def _rate(text: str) -> Rate:
    # Three of them are read in each cold start, where a pattern takes longer.
    count, _, unit = text.partition("/")
    is_count = count.isdecimal() and count[0] != "0" and len(count) <= MAX_RATE_DIGITS
    if not is_count or unit not in RATE_UNITS:
        raise ValueError
    return Rate(int(count), RATE_UNITS[unit])


def _title(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TITLE or not value.isprintable():
        raise ValueError
    return value


def _hours(text: str) -> timedelta:
    try:
        quarters = float(text) * 4
    except ValueError:
        raise ValueError from None
    if not quarters.is_integer() or not -12 <= quarters / 4 <= 14:
        raise ValueError
    return timedelta(minutes=15 * quarters)


def _secrets(text: str) -> tuple[str, ...]:
    secrets = tuple(item.strip() for item in text.split(",") if item.strip())
    if not secrets or any(len(secret) < MIN_SECRET_BYTES or len(set(secret)) == 1 for secret in secrets):
        raise ValueError
    return secrets


BUCKET = matching(
    "[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", Message("3 to 63 lower-case letters, digits and hyphens")
)
REGION = matching(r"(?!oss-)[a-z]{2,3}(-[a-z0-9]+)+", Message("a region id such as cn-hangzhou"))
ROLE_ARN = matching(r"acs:ram::\d+:role/[A-Za-z0-9.@_-]+", Message("acs:ram::<account>:role/<name>"))
ORIGIN = _safe(ORIGIN_PATTERN, Message("https://host[:port] without a path (http only for loopback)"))
ORIGINS = Type(Message("origins such as https://www.example.com, never *"), _origins)
ADDRESS = _safe(ADDRESS_PATTERN, Message("an https address with a path"))
OWN_ADDRESS = _safe(
    rf"{ORIGIN_PATTERN}(/[^?#\s]*)?", Message("the public https address of this function, without a query")
)
CALLBACK_ADDRESS = Type(
    Message("the public https address of this function's /callback, without a query"), _callback_address
)
FLAG = Type(Message("true or false"), _flag, lambda text: {"true": True, "false": False}.get(text, text))
TITLE = Type(Message("a text of 1 to {most} printable characters", most=MAX_TITLE), _title)
HOURS = Type(Message("hours from -12 to 14, in quarters, such as 8 or 5.5"), _hours)
RATE = Type(Message("a number over s, min or h, such as 60/min"), _rate)
SECRET = matching(f"(?s:.{{{MIN_SECRET_BYTES},}})", Message("at least {least} bytes", least=MIN_SECRET_BYTES))
SECRETS = Type(
    Message("at least {least} random bytes in each comma-separated part", least=MIN_SECRET_BYTES), _secrets
)
