"""One HTTP request behind the RPC gateway and the parameters in its query and form."""

from dataclasses import dataclass
from urllib.parse import parse_qsl

from local.rpc.errors import NO_SUCH_ACTION, RpcError, invalid

FORM = "application/x-www-form-urlencoded"
PARAMETERS_AT_MOST = 64


@dataclass(frozen=True)
class HttpRequest:
    """
    Args:
        headers: pairs in the order received, names as sent.

        query: the raw text after ``?``.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        """The value of a header, or ``None``; a repeated one is refused, because it has two readings."""
        values = [value.strip() for given, value in self.headers if given.lower() == name]
        if len(values) > 1:
            raise invalid("Header", f"The header {name} is given {len(values)} times; send it once.")
        return values[0] if values else None


def read_parameters(request: HttpRequest) -> dict[str, str]:
    """All parameters by name; one that is given twice is refused, because it has two readings."""
    if request.path != "/":
        raise RpcError(*NO_SUCH_ACTION)
    pairs = _decode(request.query)
    if request.body:
        content_type = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if content_type != FORM:
            raise RpcError(400, "UnsupportedContentType", f"Send parameters in the body as {FORM}.")
        pairs += _decode(request.body)
    parameters = dict(pairs)
    if len(parameters) < len(pairs):
        raise RpcError(400, "InvalidParameter", "A parameter is given twice; send each one once.")
    return parameters


def _decode(encoded: str | bytes) -> list[tuple[str, str]]:
    try:
        text = encoded.decode("ascii") if isinstance(encoded, bytes) else encoded
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=PARAMETERS_AT_MOST)
    except ValueError:
        message = f"Parameters must be percent-encoded UTF-8, at most {PARAMETERS_AT_MOST} of them."
        raise RpcError(400, "InvalidParameter", message) from None
