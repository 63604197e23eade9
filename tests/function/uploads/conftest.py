"""OSS's side of an upload callback, written from the documentation: fill in, sign, call."""

import json
import re
import socket
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import MD5
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from function.app import load_settings
from function.auth import Caller
from function.auth.signed_tokens import RECEIPT, TICKET, issue_token, read_token
from function.config.profile import Profile
from function.config.profiles import read_profiles
from function.http.client import ExchangeFailed, HttpResponse
from function.uploads.plan import plan_upload
from function.uploads.request import UploadRequest
from tests.support.cases import profile_toml
from tests.support.scripted_oss import ScriptedOss

KEYS = Path(__file__).parents[2] / "keys"
KEY_ADDRESS = "https://gosspublic.alicdn.com/callback_pub_key_v1.pem"
FORM_TYPE = "application/x-www-form-urlencoded"
SECRET = "token-secret-canary-0123456789abcdef"
BUSINESS_SECRET = "business-secret-0123456789-0123456789"
SETTINGS = {"CALLBACK_URL": "https://upload.example.com/callback", "TOKEN_SECRET": SECRET}
BUSINESS = {
    "CALLER_AUTH": "jwt",
    "JWT_ALGORITHM": "HS256",
    "JWT_KEY": BUSINESS_SECRET,
    "TOKEN_SECRET": SECRET,
}
FILES = {"max_size": "10MiB", "min_size": 10, "content_types": ["image/*", "application/pdf"]}
PAGE = profile_toml("page", "test", "{filename}", content_types=["*/*"], callback=True)
PROFILES = (
    profile_toml("default", "uploads", "{owner}/{yyyy}/{id}{ext}", **FILES, callback=True)
    + profile_toml("other", "others", max_size="1KiB", content_types=["image/png"], callback=True)
    + profile_toml("quiet", max_size="1KiB", content_types=["image/png"])
    + PAGE
)


@cache
def private_key(name: str) -> Any:
    return load_pem_private_key((KEYS / f"{name}.pem").read_bytes(), None)


def base64(value: bytes | str) -> str:
    return b64encode(value.encode() if isinstance(value, str) else value).decode()


@cache
def sign(path: str, query: str, body: bytes, key: str = "rsa") -> str:
    """What OSS puts into ``authorization``."""
    signed = unquote_to_bytes(path) + (f"?{query}" if query else "").encode() + b"\n" + body
    return base64(private_key(key).sign(signed, PKCS1v15(), MD5()))


@dataclass
class KeyHost:
    """Stands where the network is: serves OSS's public key and keeps every call."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    key: Any = field(default_factory=lambda: (KEYS / "rsa.pub.pem").read_bytes())
    status: int = 200

    def __call__(self, method: str, url: str, **options: Any) -> HttpResponse:
        self.calls.append((method, url))
        self.options = options
        if isinstance(self.key, ExchangeFailed):
            raise self.key
        return HttpResponse(self.status, self.key)


def claims_of(token: str, clock: Any, audience: str = RECEIPT) -> dict[str, Any]:
    return read_token(token, audience=audience, secrets=(SECRET,), now=clock())


def forged_ticket(
    clock: Any, *, audience: str = TICKET, secret: str = SECRET, hours: float = 1, **changes: Any
) -> str:
    """A ticket made by hand; ``None`` takes a claim out."""
    good = {"jti": "i", "bucket": "my-bucket", "profile": "default", "sub": "public", "owner": "public"}
    claims = good | {"type": "image/png", "sizes": [10, 1024]} | changes
    made = {name: value for name, value in claims.items() if value is not None}
    life = timedelta(hours=hours)
    return issue_token(made, audience=audience, secrets=[secret], now=clock(), life=life)


def business_token(clock: Any, subject: str = "ann") -> dict[str, str]:
    """The header of a caller whom the business has logged in."""
    hour = timedelta(hours=1)
    token = issue_token({"sub": subject}, audience="x", secrets=[BUSINESS_SECRET], now=clock(), life=hour)
    return {"X-Upload-Token": token}


@pytest.fixture
def oss() -> ScriptedOss:
    return ScriptedOss()


@pytest.fixture
def key_host() -> KeyHost:
    return KeyHost()


@pytest.fixture
def function(instance: Callable[..., Any], profiles_file: Any, key_host: KeyHost) -> Any:
    """An instance that asks for callbacks; the network behind it is ``key_host``."""
    return instance(key_host, **SETTINGS, PROFILES_FILE=profiles_file(PROFILES))


@dataclass
class Upload:
    """One upload as OSS knows it: where the form lets it go, and the callback that the form pins."""

    key: str
    template: str
    parameter: dict[str, Any]

    @property
    def ticket(self) -> str:
        return self.template.rpartition("ticket=")[2]

    def variables(self, **changes: str) -> dict[str, str]:
        """What OSS has to say of the object, by the names of the documentation (dots as ``_``)."""
        known = {"bucket": "my-bucket", "object": self.key, "etag": '"D41D8CD98F00B204E9800998ECF8427E"'}
        known |= {"size": "1024", "mimeType": "image/png", "reqId": "65F0AABBCCDDEEFF00112233"}
        known |= {"imageInfo.width": "640", "imageInfo.height": "480", "imageInfo.format": "png"}
        return known | {name.replace("imageInfo_", "imageInfo."): value for name, value in changes.items()}

    def body(self, *, ticket: str | None = None, **changes: str) -> bytes:
        """The form-encoded body, values percent-encoded as documented."""
        template = self.template if ticket is None else self.template.replace(self.ticket, ticket)
        known = self.variables(**changes)
        return re.sub(r"\$\{([^}]*)\}", lambda name: quote(known[name[1]], safe=""), template).encode()


def read_upload(form: dict[str, Any], filename: str = "") -> Upload:
    field_value = form["callback"] if "callback" in form else form["formData"]["callback"]
    parameter = json.loads(b64decode(field_value, validate=True))
    key = form["dir"] + filename if "dir" in form else form["key"]
    return Upload(key, parameter["callbackBody"], parameter)


@pytest.fixture
def ask_upload(function: Any, good_sts: Any) -> Callable[..., Upload]:
    """Ask for a form and read what OSS would: ``ask_upload()``, ``ask_upload("page", "x.png")``."""

    def ask(profile: str = "default", name: str = "a.png", of: Any = None, **more: Any) -> Upload:
        wanted = {"profile": profile} if profile == "page" else {"profile": profile, "filename": name, **more}
        answer = (of or function).ask(body=wanted)
        assert answer.status == 200, answer.text
        return read_upload(answer.json, name)

    return ask


@pytest.fixture
def upload(function: Any, clock: Any) -> Callable[..., Upload]:
    """The same upload as planned, without the form around it, which needs STS and time."""
    numbers = count(1)

    def plan(profile: str = "default", name: str = "a.png", of: Any = None) -> Upload:
        settings = load_settings((of or function).environ)
        planned = plan_upload(
            Caller("public", "public", settings.callers[0]),
            UploadRequest(filename=None if profile == "page" else name),
            settings.profiles[profile],
            settings,
            f"upload-id-{next(numbers):012d}",
            clock(),
        )
        shape = "dir" if profile == "page" else "key"
        return read_upload({shape: planned.rule.key, "callback": planned.rule.form.fields["callback"]}, name)

    return plan


@pytest.fixture
def call(function: Any) -> Callable[..., Any]:
    """
    Call back as OSS does; every part of it can be replaced.

    Args of what it returns:
        path, query: as requested; ``signed_path``, ``signed_query``, ``signed_body``: as signed.

        headers: replace those of OSS; ``None`` takes one out.
    """

    def ask(
        body: bytes,
        *,
        path: str = "/callback",
        query: dict[str, str] | None = None,
        signed_path: str | None = None,
        signed_query: str = "",
        signed_body: bytes | None = None,
        signing_key: str = "rsa",
        address: str = KEY_ADDRESS,
        headers: dict[str, str | None] | None = None,
        of: Any = None,
    ) -> Any:
        signed = body if signed_body is None else signed_body
        sent: dict[str, Any] = {
            "authorization": sign(signed_path or path, signed_query, signed, signing_key),
            "x-oss-pub-key-url": base64(address),
            "content-type": FORM_TYPE,
            "user-agent": "http-client/0.0.1",
            **(headers or {}),
        }
        sent = {name: value for name, value in sent.items() if value is not None}
        return (of or function).ask(path=path, query=query, headers=sent, base64=base64(body))

    return ask


@pytest.fixture
def forbidden_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Refuse and record every address that anything tries to reach through a socket."""
    tried: list[Any] = []

    def refuse(*args: Any, **_options: Any) -> Any:
        tried.append(args[0] if isinstance(args[0], str | bytes) else args[1])
        raise OSError("no network in this test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket, "gethostbyname", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    yield tried


@pytest.fixture
def profile() -> Callable[..., Profile]:
    """Make a profile out of a few words."""

    def make(
        key: str = "a/{id}{ext}", types: tuple[str, ...] = ("*/*",), least: int = 0, most: int = 10
    ) -> Profile:
        text = f'[p]\nkey = "{key}"\nmax_size = {most}\nmin_size = {least}\nexpires_in = 60\n'
        profiles, problems = read_profiles(
            f"{text}content_types = {json.dumps(types)}\n", default_signature="v4"
        )
        assert not problems
        return profiles["p"]._replace(pinned=())

    return make
