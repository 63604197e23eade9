"""
JSON event of an HTTP trigger, as Function Compute 3.0 makes it of a request.

Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/http-trigger-invoking-function
"""

import base64
import json
import string
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, quote, unquote

TEXT_TYPES = frozenset(
    {
        "application/json",
        "application/ld+json",
        "application/xhtml+xml",
        "application/xml",
        "application/atom+xml",
        "application/javascript",
    }
)
# A client may not send these (x-fc-*, connection, keep-alive); the rest belongs to one TCP connection.
UNSENDABLE = frozenset({"connection", "keep-alive", "transfer-encoding", "upgrade", "te", "trailer"})
TOKEN_CHARACTERS = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
ACCOUNT_ID = "1000000000000001"


@dataclass(frozen=True)
class IncomingRequest:
    """
    One HTTP request as it came off the wire.

    Args:
        target: path and query as sent, still percent-encoded.

        headers: in the order sent, repeated names included, hop-by-hop ones already removed.

        received_at: timezone-aware UTC.
    """

    method: str
    target: str
    protocol: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    request_id: str
    received_at: datetime

    @property
    def raw_path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def raw_query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str) -> str:
        """Every value of a header (any case), comma-joined; empty when it was not sent."""
        return ",".join(value for sent, value in self.headers if sent.lower() == name.lower())


def build_event(request: IncomingRequest) -> bytes:
    """Build the event, UTF-8 JSON, that ``handler(event, context)`` is given."""
    is_base64, body = encode_body(request.body, request.header("content-type"))
    host = request.header("host").partition(":")[0]
    event = {
        "version": "v1",
        "rawPath": request.raw_path,
        "body": body,
        "isBase64Encoded": is_base64,
        "headers": join_repeated((canonical_name(name), value) for name, value in request.headers),
        "queryParameters": join_repeated(
            parse_qsl(request.raw_query, keep_blank_values=True, errors="replace")
        ),
        "requestContext": {
            "accountId": ACCOUNT_ID,
            "domainName": host,
            "domainPrefix": host.partition(".")[0],
            "requestId": request.request_id,
            "time": request.received_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "timeEpoch": str(int(request.received_at.timestamp() * 1000)),
            "http": {
                "method": request.method,
                "path": unquote(request.raw_path, errors="replace"),
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("user-agent"),
            },
        },
    }
    return json.dumps(event, ensure_ascii=False).encode()


def encode_body(body: bytes, content_type: str) -> tuple[bool, str]:
    """
    Put the body into JSON: as text for the documented text types, else (no type at all included) base64.

    Returns:
        the ``isBase64Encoded`` flag and the text of ``body``.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in TEXT_TYPES:
        return False, body.decode(errors="replace")
    return True, base64.b64encode(body).decode()


def canonical_name(name: str) -> str:
    """Spell a header name as Go does: ``Content-Type``; a name that is no token stays as it is."""
    if not is_token(name):
        return name
    return "-".join(part[:1].upper() + part[1:].lower() for part in name.split("-"))


def is_token(name: str) -> bool:
    """Return whether RFC 9110 takes this as the name of a header."""
    return bool(name) and TOKEN_CHARACTERS.issuperset(name)


def join_repeated(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join the values of a repeated name with commas, the one-string form FC uses (lossy)."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def readable_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Drop what FC does not pass on and read the values, bytes in ISO 8859-1 clothing, as UTF-8."""
    return tuple(
        (name, " ".join(value.encode("iso-8859-1", "replace").decode(errors="replace").split("\r\n")))
        for name, value in headers
        if name.lower() not in UNSENDABLE and not name.lower().startswith("x-fc-")
    )


def readable_target(target: str) -> str:
    """Percent-encode stray bytes of a request target and cut ``http://host`` off an absolute one."""
    encoded = quote(target.encode("iso-8859-1", "replace"), safe=string.punctuation)
    if encoded.startswith(("http://", "https://")):
        return "/" + encoded.split("/", 3)[3] if encoded.count("/") > 2 else "/"
    return encoded
