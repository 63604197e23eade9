"""WeChat in memory: its access tokens, its content check, and its message push as documented."""

import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from function.http.client import ExchangeFailed, HttpResponse

BLOCK = 32
TOKEN, CHECK = "stable_token", "media_check_async"


def sha1_of(*parts: str) -> str:
    """The signature over these, sorted as texts."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


class Call(NamedTuple):
    """A call of WeChat's API: the last segment of its path, and what came with it."""

    name: str
    query: Mapping[str, str] | None
    fields: dict[str, Any]
    url: str
    options: Mapping[str, Any]


@dataclass
class Wechat:
    """
    Args:
        token, aes_key, appid: of the push, as a page of its console has them.

    Attributes:
        says: by the name of a call what it is answered, one each, the last one for ever: an object, a
            response, an exception, or what makes one of these; without, as follows.

        answers: error codes of the next checks, one each, 0 for none; ``None``: it is not heard.

        submitted: the URLs that are to be checked, by trace id.

        checks: every check that was asked for, by key, and its error code or ``None``.

        happens: while a check is asked for, before the response.
    """

    token: str = ""
    aes_key: str = ""
    appid: str = ""
    timestamp: str = "1714112445"
    nonce: str = "415670741"
    says: dict[str, list[Any]] = field(default_factory=dict)
    answers: list[int | None] = field(default_factory=list)
    submitted: dict[str, str] = field(default_factory=dict)
    checks: list[tuple[str, int | None]] = field(default_factory=list)
    asked: list[Call] = field(default_factory=list)
    happens: Callable[[str], Any] = lambda _trace: None

    def send(
        self, method: str, url: str, *, body: bytes | None = None, query: Any = None, **options: Any
    ) -> HttpResponse:
        """In place of the function's network."""
        assert method == "POST"
        name = urlsplit(url).path.rpartition("/")[2]
        fields = json.loads(body or b"")
        self.asked.append(Call(name, query, fields, url, options))
        if said := self.says.get(name):
            return response(said.pop(0) if len(said) > 1 else said[0])
        if name == TOKEN:
            return response({"access_token": "A" * 136, "expires_in": 7200})
        return response(self._check(fields["media_url"]))

    def _check(self, url: str) -> Any:
        planned = self.answers.pop(0) if self.answers else 0
        self.checks.append((key_of(url), planned))
        if planned is None:
            return ExchangeFailed("ConnectionResetError")
        if planned:
            return {"errcode": planned, "errmsg": "no"}
        trace_id = f"60f96f1d-{len(self.submitted) + 1}"
        self.submitted[trace_id] = url
        self.happens(trace_id)
        return {"errcode": 0, "errmsg": "ok", "trace_id": trace_id}

    def encrypt(self, plain: bytes) -> str:
        """As they are: whole blocks that nothing fills up."""
        key = b64decode(f"{self.aes_key}=")
        encryptor = Cipher(AES(key), CBC(key[:16])).encryptor()
        return b64encode(encryptor.update(plain) + encryptor.finalize()).decode()

    def seal(self, message: bytes, random: bytes = b"0123456789abcdef") -> str:
        """The text of ``Encrypt``."""
        plain = random + len(message).to_bytes(4) + message + self.appid.encode()
        fill = BLOCK - len(plain) % BLOCK
        return self.encrypt(plain + bytes([fill]) * fill)

    def query(self, encrypted: str = "") -> dict[str, str]:
        """What the address is followed by; with the text of ``Encrypt``, or as when the console tries it."""
        signed = {
            "signature": sha1_of(self.token, self.timestamp, self.nonce),
            "timestamp": self.timestamp,
            "nonce": self.nonce,
        }
        if not encrypted:
            return signed
        msg_signature = sha1_of(self.token, self.timestamp, self.nonce, encrypted)
        return {**signed, "openid": "oUser", "encrypt_type": "aes", "msg_signature": msg_signature}

    def push(self, event: Mapping[str, Any] | bytes, **also: Any) -> tuple[dict[str, str], bytes]:
        """
        Query and body of one push in secure mode.

        Args:
            also: further fields beside ``Encrypt``, as the compatible mode has them.
        """
        encrypted = self.seal(event if isinstance(event, bytes) else json.dumps(event).encode())
        sent = {"ToUserName": "gh_x", "Encrypt": encrypted, **also}
        return self.query(encrypted), json.dumps(sent).encode()


def key_of(url: str) -> str:
    """The key of the object that a URL is of."""
    return unquote(urlsplit(url).path[1:])


def response(said: Any) -> HttpResponse:
    """What was planned, as the network brings it."""
    if callable(said):
        said = said()
    if isinstance(said, Exception):
        raise said
    if isinstance(said, HttpResponse):
        return said
    return HttpResponse(200, said if isinstance(said, bytes) else json.dumps(said).encode())
