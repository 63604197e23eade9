"""One request to the local OSS that is no form, decoded."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from local.oss import errors
from local.oss.errors import OssError


@dataclass(frozen=True)
class Request:
    """
    Args:
        key: the object's name, decoded; empty for the bucket itself.

        query: decoded; a parameter without a value has an empty one.

        headers: by lower-case name, without the spaces around the value.
    """

    method: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


def read_request(method: str, target: str, headers: Iterable[tuple[str, str]]) -> Request:
    """
    Args:
        target: of the request line: path and query.

        headers: as ``http.server`` has them, in Latin-1.

    Raises:
        OssError: not UTF-8, or a parameter or header with two values, which has two readings.
    """
    path, _, query = target.partition("?")
    parameters = [part.partition("=")[::2] for part in query.split("&") if part]
    bad = errors.BAD_QUERY
    return Request(
        method,
        _decoded(path.removeprefix("/"), errors.INVALID_KEY),
        _once((_decoded(name, bad), _decoded(value, bad)) for name, value in parameters),
        _once((name.lower(), _utf8(value.strip())) for name, value in headers),
    )


def _utf8(header_value: str) -> str:
    return header_value.encode("latin-1").decode("utf-8", "surrogateescape")


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        if found.setdefault(name, value) != value:
            raise OssError(errors.SAID_TWICE, ArgumentName=name, ArgumentValue=value)
    return found


def _decoded(text: str, refusal: errors.Refusal) -> str:
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise OssError(refusal) from None
