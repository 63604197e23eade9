"""The public keys that OSS signs its callbacks with: which address may name one, and what it has signed."""

import copy
import re
import threading
from base64 import b64decode
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from function.config.types import Rate
from function.errors import BadRequest, OssKeyUnavailable, TooManyRequests
from function.http.client import ExchangeFailed, Send
from function.limits.rate_limit import RateLimiter, RateLimitItem
from function.uploads.tickets import not_ours

# With the slash: without it, gosspublic.alicdn.com.evil.example would pass.
KEY_ADDRESSES = ("https://gosspublic.alicdn.com/", "http://gosspublic.alicdn.com/")
KEY_PATH = r"callback_pub_key_v[0-9]{1,9}\.pem"
KEY_BUDGET_SECONDS = 2.0
MAX_KEY_BYTES = 16 * 1024
MAX_KEYS_KEPT = 8
# One key serves all callbacks; who holds a ticket could name another address each time, and have us wait.
FETCHES_PER_TICKET = Rate(5, 60)
MAX_HEADER_CHARACTERS = 1024


class _Fetch:
    """One fetch, under way or landed; whoever waits for it shares its outcome."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.key: Any = None
        self.error: OssKeyUnavailable | None = None


class OssPublicKeys:
    """
    The public keys OSS signs callbacks with, kept for the life of the instance.

    Args:
        origin: where they are fetched from; which address a request may name is not its business.
    """

    def __init__(self, origin: str, send: Send, limits: RateLimiter) -> None:
        self._origin = origin
        self._send = send
        self._limits = limits
        self._kept: dict[str, _Fetch] = {}
        self._lock = threading.Lock()

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
                All who wait for one fetch share its failure.
        """
        path = key_path(address_header)
        fetch = self._kept.get(path)
        if fetch is None:
            fetch, is_ours = self._board(path, ticket_id, now)
            if is_ours:
                self._fly(path, fetch)
        fetch.landed.wait()
        if fetch.key is None:
            # A copy, because a raised exception collects the traceback of its thread.
            raise copy.copy(fetch.error or _key_unavailable("its fetch broke off"))
        return fetch.key

    def _board(self, path: str, ticket_id: str, now: datetime) -> tuple[_Fetch, bool]:
        with self._lock:
            if path in self._kept:
                return self._kept[path], False
            try:
                self._limits.hit([RateLimitItem("key fetches", FETCHES_PER_TICKET, ticket_id)], now)
            except TooManyRequests:
                raise _key_unavailable("this ticket named too many keys") from None
            if len(self._kept) >= MAX_KEYS_KEPT:
                self._kept = {one: fetch for one, fetch in self._kept.items() if not fetch.landed.is_set()}
            fetch = self._kept[path] = _Fetch()
            return fetch, True

    def _fly(self, path: str, fetch: _Fetch) -> None:
        try:
            fetch.key = self._fetch(path)
        except OssKeyUnavailable as error:
            fetch.error = error
        finally:
            if fetch.key is None:
                with self._lock:
                    self._kept.pop(path, None)
            fetch.landed.set()

    def _fetch(self, path: str) -> Any:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key

        try:
            answer = self._send(
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
    Where below its origin the key lies that ``x-oss-pub-key-url`` names.

    Raises:
        BadRequest: no address.

        Forbidden: an address that is not OSS's.
    """
    address = decode_header(address_header, "x-oss-pub-key-url").decode("ascii", "replace")
    for prefix in KEY_ADDRESSES:
        path = address.removeprefix(prefix)
        if path != address and re.fullmatch(KEY_PATH, path):
            return path
    raise not_ours("the address of the public key is not OSS's")


def decode_header(text: str, header: str) -> bytes:
    """
    The bytes of a header that is base64.

    Raises:
        BadRequest: it is not, or is absent or too long.
    """
    try:
        value = b64decode(text, validate=True) if len(text) <= MAX_HEADER_CHARACTERS else b""
    except ValueError:
        value = b""
    if not value:
        raise BadRequest(f"The {header} header of an OSS callback is missing or not base64.")
    return value


def _key_unavailable(reason: str) -> OssKeyUnavailable:
    return OssKeyUnavailable("OSS's public key cannot be fetched right now.", reason=f"public key: {reason}")
