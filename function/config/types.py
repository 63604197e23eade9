"""What the text of a setting may be, and the value it becomes."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from function.config.messages import Message

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
