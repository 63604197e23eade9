"""Authentication of callers: known key, right signature, fresh request, nonce seen once."""

import heapq
import hmac
import re
import threading
from datetime import UTC, datetime, timedelta

from local.common.accounts import AccessKey, Accounts
from local.rpc import errors
from local.rpc.errors import RpcError, invalid, missing, signature_mismatch
from local.rpc.signature import SignedRequest

# Either way: a clock that runs ahead is as wrong as one that is behind.
WINDOW = timedelta(minutes=15)
TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?Z", re.ASCII)
NONCE_CHARACTERS = 128


class Nonces:
    """Signature nonces in use, each kept as long as its request would still be fresh."""

    def __init__(self, window: timedelta = WINDOW) -> None:
        self.window = window
        self._used: set[tuple[str, str]] = set()
        self._ends: list[tuple[datetime, tuple[str, str]]] = []
        self._lock = threading.Lock()

    def use(self, access_key_id: str, nonce: str, timestamp: datetime, now: datetime) -> None:
        used = (access_key_id, nonce)
        with self._lock:
            while self._ends and self._ends[0][0] < now:
                self._used.discard(heapq.heappop(self._ends)[1])
            if used in self._used:
                raise RpcError(*errors.NONCE_USED)
            self._used.add(used)
            heapq.heappush(self._ends, (timestamp + self.window, used))


def authenticate(signed: SignedRequest, accounts: Accounts, nonces: Nonces, now: datetime) -> AccessKey:
    """
    The key that signed the request.

    A nonce counts as used only once everything else is right, so nobody can use up another caller's.

    Raises:
        RpcError: in this order: timestamp, unknown key, signature, security token, nonce.
    """
    timestamp = _read_timestamp(signed.timestamp)
    if abs(now - timestamp) > nonces.window:
        raise RpcError(*errors.TIMESTAMP_EXPIRED)
    if len(signed.nonce) > NONCE_CHARACTERS:
        raise invalid("SignatureNonce", f"SignatureNonce is longer than {NONCE_CHARACTERS} characters.")
    key = accounts.find(signed.access_key_id)
    if key is None:
        raise RpcError(*errors.NO_SUCH_KEY)
    if not signed.is_signed_with(key.access_key_secret):
        raise signature_mismatch(signed.string_to_sign)
    _check_token(key, signed.security_token, now)
    nonces.use(key.access_key_id, signed.nonce, timestamp, now)
    return key


def _check_token(key: AccessKey, token: str, now: datetime) -> None:
    if key.security_token is None:
        # Official SDKs send an empty SecurityToken when they were given an empty one.
        if token:
            raise RpcError(*errors.TOKEN_MISMATCH)
    elif not token:
        raise missing("SecurityToken")
    elif not hmac.compare_digest(key.security_token.encode(), token.encode()):
        raise RpcError(*errors.TOKEN_MISMATCH)
    if key.expires_at is not None and now >= key.expires_at:
        raise RpcError(*errors.TOKEN_EXPIRED)


def _read_timestamp(text: str) -> datetime:
    match = TIMESTAMP.fullmatch(text)
    if match is None:
        raise RpcError(*errors.TIMESTAMP_MALFORMED)
    try:
        return datetime.strptime(match[1], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise RpcError(*errors.TIMESTAMP_MALFORMED) from None
