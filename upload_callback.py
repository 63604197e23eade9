"""
What OSS tells us after an upload: the callback field, its verification, the receipt.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from callers import Caller
from errors import BadRequest, Forbidden, Misconfigured, OssKeyUnavailable, TooManyRequests, Unauthorized
from outgoing_http import Exchange, ExchangeFailed
from profiles import Profile
from rate_limit import RateLimit
from settings import Rate, Settings
from tokens import RECEIPT, TICKET, issue_token, read_token
from upload_request import object_url

# With the slash: without it, gosspublic.alicdn.com.evil.example would pass.
KEY_ADDRESSES = ("https://gosspublic.alicdn.com/", "http://gosspublic.alicdn.com/")
KEY_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
KEY_BUDGET_SECONDS = 2.0
MAX_KEY_BYTES = 16 * 1024
MAX_FIELD_CHARACTERS = 5 * 1024
MAX_KEYS_KEPT = 8
# One key serves all callbacks; who holds a ticket could name another address each time, and have us wait.
FETCHES_PER_TICKET = Rate(5, 60)
MAX_HEADER_CHARACTERS = 1024
WEBHOOK_BUDGET_SECONDS = 1.5
# OSS calls back when the upload ends, which may be later than the form's own end.
TICKET_LIFE_BEYOND_FORM = timedelta(hours=1)
RECEIPT_LIFE = timedelta(days=1)
WHOLE_NUMBER = re.compile(r"[0-9]{1,15}")

# The names on the left are ours; what OSS puts in stands on the right.
REPORTED = {
    "bucket": "${bucket}",
    "object": "${object}",
    "etag": "${etag}",
    "size": "${size}",
    "mimeType": "${mimeType}",
    "width": "${imageInfo.width}",
    "height": "${imageInfo.height}",
    "format": "${imageInfo.format}",
    "reqId": "${reqId}",
}


class Receipt(NamedTuple):
    """
    The answer to OSS, which hands it to the mini-program, and who uploaded.

    Args:
        answer: JSON object with ``receipt``, a token the business verifies offline.
    """

    answer: dict[str, Any]
    owner: str
    profile: str


def callback_field(
    settings: Settings, profile: Profile, caller: Caller, *, key: str, upload_id: str, now: datetime
) -> str:
    """
    The value of the form's ``callback`` field; the form pins it, so a client cannot change or drop it.

    Args:
        key: the object key, or the folder (ending in ``/``) of a ``{filename}`` profile.

        now: timezone-aware UTC.

    Returns:
        base64 of JSON, under the 5 KB that OSS takes.

    Raises:
        Misconfigured: it would be longer.

    Source: https://help.aliyun.com/zh/oss/developer-reference/callback
    """
    claims = {
        "jti": upload_id,
        "bucket": settings.bucket,
        "folder" if profile.takes_filename else "key": key,
        "profile": profile.name,
        "sub": caller.subject,
        "owner": caller.owner,
    }
    ticket = issue_token(
        claims,
        audience=TICKET,
        secrets=settings.token_secrets,
        now=now,
        life=profile.expires_in + TICKET_LIFE_BEYOND_FORM,
    )
    url = settings.callback_url or ""
    parameter = {
        "callbackUrl": url,
        "callbackBody": "&".join(f"{name}={variable}" for name, variable in REPORTED.items())
        + f"&ticket={ticket}",
        "callbackBodyType": "application/x-www-form-urlencoded",
        # Gateways that share addresses, as Function Compute's do, need the name in the TLS handshake.
        "callbackSNI": url.startswith("https://"),
    }
    field = b64encode(json.dumps(parameter, separators=(",", ":")).encode()).decode()
    if len(field) > MAX_FIELD_CHARACTERS:
        raise Misconfigured([f"profiles.toml [{profile.name}]: its key is too long for callback = true"])
    return field


class OssPublicKeys:
    """
    The public keys OSS signs callbacks with, kept for the life of the instance.

    Args:
        origin: where they are fetched from; which address a request may name is not its business.
    """

    def __init__(self, origin: str, exchange: Exchange) -> None:
        self._origin = origin
        self._exchange = exchange
        self._keys: dict[str, Any] = {}
        self._fetches = RateLimit(FETCHES_PER_TICKET)

    def find(self, address_header: str, *, ticket_id: str, now: datetime) -> Any:
        """
        The key that a callback names.

        Args:
            address_header: ``x-oss-pub-key-url``, base64 of the address.

            ticket_id: whose ticket has it fetched.

        Raises:
            BadRequest: no address.

            Forbidden: an address that is not OSS's; nothing is fetched then.

            OssKeyUnavailable: it cannot be fetched, or not for this ticket any more; or it is no RSA key.
        """
        path = _key_path(address_header)
        key = self._keys.get(path)
        if key is None:
            try:
                self._fetches.take(ticket_id, 1, now)
            except TooManyRequests:
                raise _key_unavailable("this ticket named too many keys") from None
            key = self._fetch(path)
            if len(self._keys) >= MAX_KEYS_KEPT:
                self._keys.clear()
            self._keys[path] = key
        return key

    def _fetch(self, path: str) -> Any:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            answer = self._exchange(
                "GET",
                f"{self._origin}/{path}",
                budget_seconds=KEY_BUDGET_SECONDS,
                max_bytes=MAX_KEY_BYTES,
            )
        except ExchangeFailed as error:
            raise _key_unavailable(error.kind) from None
        if answer.status != 200:
            raise _key_unavailable(f"HTTP {answer.status}")
        try:
            key = load_pem_public_key(answer.body)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise _key_unavailable("what came is no PEM key") from None
        if not isinstance(key, RSAPublicKey):
            raise _key_unavailable("what came is no RSA key")
        return key


def is_signed_by_oss(public_key: Any, signature: bytes, *, path: str, raw_query: str, body: bytes) -> bool:
    """
    Hold a callback's signature against what it must cover.

    Args:
        path: as requested, percent-encoded or not.

        raw_query: without the question mark, exactly as requested.

        body: raw bytes.

    Source: https://help.aliyun.com/zh/oss/developer-reference/callback
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import MD5

    query = f"?{raw_query}" if raw_query else ""
    signed = f"{unquote(path)}{query}\n".encode("utf-8", "surrogatepass") + body
    try:
        public_key.verify(signature, signed, PKCS1v15(), MD5())  # noqa: S303 - MD5 is what OSS signs with
    except InvalidSignature:
        return False
    return True


def verify_callback(
    *,
    headers: Mapping[str, str],
    path: str,
    raw_query: str,
    body: bytes,
    settings: Settings,
    keys: OssPublicKeys,
    now: datetime,
) -> Receipt:
    """
    Accept what OSS signed about an upload that we signed the form for, and nothing else.

    OSS's key has 512 bits, the hash is MD5, and OSS signs whatever callback a form names, so its
    signature alone proves little. The ticket proves whose form it was, for which key, type and sizes;
    that the object is there stays the uploader's word. The ticket is read first: without one nobody
    can make us fetch a key.

    Raises:
        BadRequest, Forbidden, OssKeyUnavailable
    """
    signature = _decode_base64(headers.get("authorization", ""), "authorization")
    address = headers.get("x-oss-pub-key-url", "")
    _key_path(address)
    reported = _read_report(body)
    ticket = _read_ticket(reported.get("ticket", ""), settings, now)
    public_key = keys.find(address, ticket_id=str(ticket.get("jti")), now=now)
    if not is_signed_by_oss(public_key, signature, path=path, raw_query=raw_query, body=body):
        raise _forbidden("the signature of the callback does not fit")
    _check_object(reported, ticket, settings)
    return _receipt(reported, ticket, settings)


def tell_business(url: str, receipt: str, exchange: Exchange) -> str:
    """
    Post ``{"receipt": …}`` to the business, best effort.

    Returns:
        what went wrong, for the log; empty when it was taken with a 2xx.
    """
    try:
        answer = exchange(
            "POST",
            url,
            budget_seconds=WEBHOOK_BUDGET_SECONDS,
            body=json.dumps({"receipt": receipt}).encode(),
            headers={"Content-Type": "application/json"},
        )
    except ExchangeFailed as error:
        return error.kind
    return "" if 200 <= answer.status < 300 else f"HTTP {answer.status}"


def _key_path(address_header: str) -> str:
    address = _decode_base64(address_header, "x-oss-pub-key-url").decode("ascii", "replace")
    for prefix in KEY_ADDRESSES:
        path = address.removeprefix(prefix)
        if path != address and KEY_PATH.fullmatch(path):
            return path
    raise _forbidden("the address of the public key is not OSS's")


def _decode_base64(text: str, header: str) -> bytes:
    try:
        value = b64decode(text, validate=True) if len(text) <= MAX_HEADER_CHARACTERS else b""
    except ValueError:
        value = b""
    if not value:
        raise BadRequest(f"The {header} header of an OSS callback is missing or not base64.")
    return value


def _read_report(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=64
        )
    except ValueError:
        raise BadRequest("The body must be the form-encoded text that our callback field asks for.") from None
    reported = dict(pairs)
    if len(reported) != len(pairs):
        raise BadRequest("The body names a field twice.")
    return reported


def _read_ticket(ticket: str, settings: Settings, now: datetime) -> dict[str, Any]:
    try:
        return read_token(ticket, audience=TICKET, secrets=settings.token_secrets, now=now)
    except Unauthorized as error:
        raise _forbidden(f"ticket: {error.reason}") from None


def _check_object(reported: Mapping[str, str], ticket: Mapping[str, Any], settings: Settings) -> None:
    key = reported.get("object", "")
    folder = ticket.get("folder")
    is_ours = key.startswith(folder) and key != folder if folder else key == ticket.get("key")
    if not key or not is_ours:
        raise _forbidden("the ticket is for another object")
    # Both, for two functions with buckets of their own may share a TOKEN_SECRET.
    if {reported.get("bucket"), ticket.get("bucket")} != {settings.bucket}:
        raise _forbidden("the object is in another bucket")
    profile = settings.profiles.get(str(ticket.get("profile")))
    if profile is None:
        raise _forbidden("the ticket's profile does not exist any more")
    size = reported.get("size", "")
    if not WHOLE_NUMBER.fullmatch(size):
        raise BadRequest("size must be a whole number.")
    if not profile.min_size_bytes <= int(size) <= profile.max_size_bytes:
        raise _forbidden(f"size {size} is outside the profile's range")
    content_type = reported.get("mimeType", "").partition(";")[0].strip().lower()
    if not profile.admits(content_type):
        raise _forbidden("the type is not among the profile's")


def _receipt(reported: Mapping[str, str], ticket: Mapping[str, Any], settings: Settings) -> Receipt:
    facts: dict[str, Any] = {
        "key": reported["object"],
        "size": int(reported["size"]),
        "etag": reported.get("etag", "").strip('"'),
        "mimeType": reported.get("mimeType", ""),
    }
    claims = {
        **facts,
        "sub": ticket["sub"],
        "owner": ticket["owner"],
        "bucket": settings.bucket,
        "profile": ticket["profile"],
        "jti": ticket["jti"],
    }
    # Dated from the form, so that a repeated callback gives the very same receipt.
    receipt = issue_token(
        claims,
        audience=RECEIPT,
        secrets=settings.token_secrets,
        now=datetime.fromtimestamp(ticket["iat"], UTC),
        life=RECEIPT_LIFE,
    )
    answer = {
        "status": "ok",
        **facts,
        "url": object_url(settings.host, facts["key"]),
        "width": _pixels(reported.get("width", "")),
        "height": _pixels(reported.get("height", "")),
        "uploadId": ticket["jti"],
        "receipt": receipt,
    }
    return Receipt(answer, owner=ticket["owner"], profile=ticket["profile"])


def _pixels(text: str) -> int | None:
    return int(text) if WHOLE_NUMBER.fullmatch(text) else None


def _forbidden(reason: str) -> Forbidden:
    return Forbidden("This is not a callback of OSS about an upload signed here.", reason=reason)


def _key_unavailable(reason: str) -> OssKeyUnavailable:
    return OssKeyUnavailable("OSS's public key cannot be fetched right now.", reason=f"public key: {reason}")
