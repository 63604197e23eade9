"""Signatures of OSS callbacks: the public keys, and the hosts that they may come from."""

import re
import threading
from base64 import b64decode
from datetime import datetime
from urllib.parse import unquote

from function.annotations import Any
from function.config.types import Rate
from function.errors import BadRequest, Forbidden, OssKeyUnavailable, TooManyRequests
from function.http.client import ExchangeFailed, Send
from function.limits.rate_limit import RateLimiter, RateLimitItem
from function.sts.credentials import SingleFlight

# With the slash: without it, gosspublic.alicdn.com.evil.example would pass.
KEY_ADDRESSES = ("https://gosspublic.alicdn.com/", "http://gosspublic.alicdn.com/")
KEY_PATH = r"callback_pub_key_v[0-9]{1,9}\.pem"
KEY_BUDGET_SECONDS = 2.0
MAX_KEY_BYTES = 16 * 1024
MAX_KEYS_KEPT = 8
# One key serves all callbacks; a ticket's owner could name another URL each time and make us wait.
FETCHES_PER_TICKET = Rate(5, 60)
KEY_URL_HEADER = "x-oss-pub-key-url"
MAX_HEADER_CHARACTERS = 1024


class OssPublicKeys:
    """
    The public keys OSS signs callbacks with, cached for the life of the instance.

    Args:
        origin: where they are fetched from, whatever host of OSS a callback names.
    """

    def __init__(self, origin: str, send: Send, limits: RateLimiter) -> None:
        self._origin = origin
        self._send = send
        self._limits = limits
        self._flights: dict[str, SingleFlight[Any]] = {}
        self._lock = threading.Lock()

    def find(self, address_header: str, *, ticket_id: str, now: datetime) -> Any:
        """
        Return the key that a callback names.

        Args:
            address_header: ``x-oss-pub-key-url``, base64 of the URL.
            ticket_id: the ticket whose fetches are counted.

        Raises:
            BadRequest: no URL.
            Forbidden: the URL is not one of OSS's keys; nothing is fetched.
            OssKeyUnavailable: it cannot be fetched, this ticket has fetched too many, or it is no RSA key.
                All who wait for one fetch share its failure.
        """
        path = key_path(address_header)
        flight = self._flights.get(path)
        if flight is None:
            flight, is_ours = self._join(path, ticket_id, now)
            if is_ours:
                flight.run(lambda: self._load(path))
        return flight.wait(lambda: _key_unavailable("its fetch broke off"))

    def _join(self, path: str, ticket_id: str, now: datetime) -> tuple[SingleFlight[Any], bool]:
        with self._lock:
            if path in self._flights:
                return self._flights[path], False
            try:
                self._limits.hit([RateLimitItem("key fetches", FETCHES_PER_TICKET, ticket_id)], now)
            except TooManyRequests:
                raise _key_unavailable("this ticket named too many keys") from None
            if len(self._flights) >= MAX_KEYS_KEPT:
                self._flights = {name: one for name, one in self._flights.items() if not one.is_done}
            flight = self._flights[path] = SingleFlight()
            return flight, True

    def _load(self, path: str) -> Any:
        try:
            return self._fetch(path)
        except BaseException:
            # The next callback tries again.
            with self._lock:
                self._flights.pop(path, None)
            raise

    def _fetch(self, path: str) -> Any:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            response = self._send(
                "GET", f"{self._origin}/{path}", budget_seconds=KEY_BUDGET_SECONDS, max_bytes=MAX_KEY_BYTES
            )
        except ExchangeFailed as error:
            raise _key_unavailable(error.kind) from None
        if response.status != 200:
            raise _key_unavailable(f"HTTP {response.status}")
        try:
            key = load_pem_public_key(response.body)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise _key_unavailable("not a PEM key") from None
        if not isinstance(key, RSAPublicKey):
            raise _key_unavailable("not an RSA key")
        return key


def is_signed_by_oss(public_key: Any, signature: bytes, *, path: str, raw_query: str, body: bytes) -> bool:
    """
    Return whether OSS signed a callback: its path, query and body.

    Args:
        path: percent-encoded or not; query and body byte for byte as they came.

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


def key_path(address_header: str) -> str:
    """
    Return the path of the key that ``x-oss-pub-key-url`` names, without its host.

    Raises:
        BadRequest: no URL.
        Forbidden: the URL is not one of OSS's keys.
    """
    address = decode_header(address_header, KEY_URL_HEADER).decode("ascii", "replace")
    for prefix in KEY_ADDRESSES:
        path = address.removeprefix(prefix)
        if path != address and re.fullmatch(KEY_PATH, path):
            return path
    raise Forbidden(
        "This callback is not signed by OSS.", reason="the address of the public key is not OSS's"
    )


def decode_header(text: str, header: str) -> bytes:
    """
    Decode a header that is base64.

    Raises:
        BadRequest: it is not base64, missing or too long.
    """
    try:
        value = b64decode(text, validate=True) if len(text) <= MAX_HEADER_CHARACTERS else b""
    except ValueError:
        value = b""
    if not value:
        raise BadRequest(f"The {header} header of an OSS callback is missing or not base64.")
    return value


def _key_unavailable(reason: str) -> OssKeyUnavailable:
    return OssKeyUnavailable(
        "The public key of OSS is unavailable right now.", reason=f"public key: {reason}"
    )
