"""
Any signed RPC request (STS, Green) through Alibaba Cloud's Python SDK, with every patch that the SDK needs.

The SDK builds and signs a request, and its own copy of ``requests`` sends it. Its client is not used: its
import takes a tenth of a cold start, its errors hold signed URLs, and it reads keys, proxies and certificates
from the environment. A test with the packaged SDK covers every patch.
"""

import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from importlib import import_module
from os import urandom
from types import ModuleType
from urllib.parse import quote, urlencode

from function import VERSION
from function.annotations import TYPE_CHECKING, Any
from function.http.json_body import object_in
from function.sts.credentials import AccessKeys
from function.time_limit import ExchangeFailed, with_timeout
from function.tls_trust import ca_bundle_path, verifying_context

if TYPE_CHECKING:
    from function.http.client import HttpResponse, Send

CONNECT_TIMEOUT_SECONDS = 1.5
READ_TIMEOUT_SECONDS = 3
# For a whole call: socket timeouts restart with every byte received.
CALL_SECONDS = CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS
MAX_RESPONSE_BYTES = 64 * 1024
READ_BYTES = 8192
VENDORED = "aliyunsdkcore.vendored.requests.packages"
# Tried by the vendored library, never there: searching for them costs a cold start milliseconds.
ABSENT = (f"{VENDORED}.urllib3.contrib.pyopenssl", f"{VENDORED}.urllib3.contrib.socks")
# Imported for what AssumeRole never does: guess encodings, read letters beyond ASCII in headers and hosts,
# send files, unpack, read dates.
DEFERRED = (f"{VENDORED}.chardet", "email.header", "stringprep", "array", "selectors", "zlib", "calendar")


class EmptyJar:
    """A cookie jar that stays empty: STS sets no cookies."""

    def __init__(self, _policy: object = None) -> None: ...

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def extract_cookies(self, _response: object, _request: object) -> None: ...

    def add_cookie_header(self, _request: object) -> None: ...


class DeferredModule(ModuleType):
    """A placeholder that imports the module on first use, for those who keep it as well."""

    def __getattr__(self, attribute: str) -> Any:
        # Code that scans all modules reads attributes like __file__.
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        if sys.modules.get(self.__name__) is self:
            sys.modules.pop(self.__name__, None)
        return getattr(import_module(self.__name__), attribute)


# Modules of the standard library that it imports for proxies, cookies, files and XML, which we do not use;
# with these placeholders during its import, a cold start takes an eighth less time.
PLACEHOLDERS: Mapping[str, Mapping[str, Any]] = {
    "urllib.request": {
        # On POSIX both are the same function.
        "pathname2url": quote,
        **dict.fromkeys(("parse_http_list", "getproxies", "getproxies_environment")),
        **dict.fromkeys(("proxy_bypass", "proxy_bypass_environment")),
    },
    "http.cookiejar": {"CookieJar": EmptyJar},
    "http.cookies": {"Morsel": EmptyJar},
    "mimetypes": {},
    # For the nonce of a request.
    "random": {"getrandbits": lambda bits: int.from_bytes(urandom(bits // 8))},
    # Asked for Windows, to read its proxies.
    "platform": {"system": lambda: ""},
    **dict.fromkeys(("xml", "xml.etree", "xml.etree.cElementTree"), {}),
}


_importing = threading.Lock()


class SdkFailed(Exception):
    """
    Raised for every call without a response of status 200.

    Args:
        reason: for the log; never a text of the SDK or the service, which may hold the signed URL.
        status: of HTTP; ``None`` without a complete response.
        code: the service's error code, such as ``NoPermission``.
        is_transient: True if a retry may succeed (refused, reset, slow, throttled, 503).
    """

    def __init__(
        self, reason: str, *, status: int | None = None, code: str = "", is_transient: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.code = code
        self.is_transient = is_transient


def prepare() -> None:
    """Import the modules that a call needs, and no others."""
    # The first two requests of an instance may run at once, one for each of its sessions.
    with _importing:
        _import_once()


# Again, and its placeholders would be in the way of another thread that reads the XML of OSS.
@cache
def _import_once() -> None:
    for name in ABSENT:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # absent, for the import system
    with _placeholders():
        import aliyunsdkcore.request  # noqa: F401 - signs requests
        import aliyunsdkcore.vendored.requests.packages.urllib3.util.ssl_ as sdk_ssl

    # The vendored urllib3 looks for a function that Python 3.12 removed, and then omits SNI.
    sdk_ssl.HAS_SNI = True


def call(request: Any, *, endpoint: str, region: str, own: AccessKeys) -> bytes:
    """
    Sign one RPC request and send it, within ``CALL_SECONDS``; return the unchecked body of a 200.

    Args:
        request: of the SDK, with its parameters; a new one for every call, because it holds the nonce.
    """
    url = endpoint + _signed(request, region, own)
    method = request.get_method()
    try:
        status, body = with_timeout(CALL_SECONDS, endpoint, lambda: _send(method, url))
    except ExchangeFailed as error:
        raise SdkFailed(error.kind, is_transient=True) from None
    if status != 200:
        raise _refusal(status, body)
    return body


def post(
    action: str,
    version: str,
    fields: Mapping[str, str],
    *,
    endpoint: str,
    region: str,
    own: AccessKeys,
    send: "Send",
    seconds: float,
    max_bytes: int,
) -> "HttpResponse":
    """
    Sign one RPC request whose fields are its form body, and send it once.

    Not through the SDK's ``requests``: ``send`` is bounded as well, counts towards the deadline of the
    request, and is injected.

    Returns:
        the unchecked response, of any status: some services explain a refusal in its body.

    Raises:
        ExchangeFailed: as ``send`` does.
    """
    prepare()
    from aliyunsdkcore.request import RpcRequest

    # Neither the product nor its address is part of the request.
    request = RpcRequest("", version, action)
    request.set_method("POST")
    request.set_body_params(dict(fields))
    url = endpoint + _signed(request, region, own)
    body, content_type = urlencode(fields).encode(), "application/x-www-form-urlencoded"
    headers = {"Content-Type": content_type}
    return send("POST", url, body=body, headers=headers, budget_seconds=seconds, max_bytes=max_bytes)


def _signed(request: Any, region: str, own: AccessKeys) -> str:
    """Return path and query; the signature covers the fields of the body as well."""
    request.set_accept_format("JSON")
    if own.security_token is not None:
        request.add_query_param("SecurityToken", own.security_token)
    path: str = request.get_url(region, own.access_key_id, own.access_key_secret)
    return path


def _send(method: str, url: str) -> tuple[int, bytes]:
    from aliyunsdkcore.vendored.requests import Request, RequestException
    from aliyunsdkcore.vendored.requests.packages.urllib3.exceptions import HTTPError

    deadline = time.monotonic() + CALL_SECONDS
    # Calls are most of an hour apart: a kept connection would be dead by then, which a frozen instance does
    # not notice.
    headers = {"User-Agent": f"oss-direct-upload/{VERSION}", "Connection": "close"}
    # Only the adapter: a session would read proxies, certificates and passwords from the environment.
    adapter = _adapter_for(url)
    try:
        response = adapter.send(
            Request(method, url, headers=headers).prepare(),
            stream=True,
            timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
            verify=ca_bundle_path(),
        )
        parts, size = [], 0
        with closing(response):
            for part in response.iter_content(READ_BYTES):
                size += len(part)
                if size > MAX_RESPONSE_BYTES or time.monotonic() > deadline:
                    raise ExchangeFailed("response too long or too slow")
                parts.append(part)
    # The vendored library raises the last two for malformed or repeated headers and lengths.
    except (RequestException, OSError, ValueError, HTTPError):
        raise ExchangeFailed("no response (refused, reset, timed out or TLS)") from None
    finally:
        adapter.close()
    return response.status_code, b"".join(parts)


def _adapter_for(url: str) -> Any:
    from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter

    # For numeric addresses the vendored library sends no SNI, and checks the certificate itself.
    if not url.startswith("https:") or re.match(r"https://[0-9.:\[]+[:/\]]", url):
        return HTTPAdapter()

    class VerifyingAdapter(HTTPAdapter):  # type: ignore[misc]  # the SDK has no types
        """Checks certificate and name with the shared TLS context, which is read once."""

        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, ssl_context=verifying_context(), **options)

        def cert_verify(self, connection: Any, *_verify: Any) -> None:
            connection.cert_reqs = "CERT_REQUIRED"

    return VerifyingAdapter()


def _refusal(status: int, body: bytes) -> SdkFailed:
    fields = object_in(body) or {}
    code = _plain(fields.get("Code"))
    return SdkFailed(
        f"HTTP {status} {code}, request {_plain(fields.get('RequestId'))}",
        status=status,
        code=code,
        is_transient=status in (429, 503) or code.startswith("Throttling"),
    )


def _plain(value: Any) -> str:
    """Return an upstream's code in characters that are safe to log."""
    return re.sub(r"[^A-Za-z0-9._-]", "?", str(value))[:80]


@contextmanager
def _placeholders() -> Iterator[None]:
    kinds = {**dict.fromkeys(DEFERRED, DeferredModule), **dict.fromkeys(PLACEHOLDERS, ModuleType)}
    placed = {name: kind(name) for name, kind in kinds.items() if name not in sys.modules}
    for name, placeholder in placed.items():
        placeholder.__dict__.update(PLACEHOLDERS.get(name, {}))
    sys.modules.update(placed)
    try:
        yield
    finally:
        for name, placeholder in placed.items():
            # Another thread may have had the real one imported meanwhile.
            if sys.modules.get(name) is placeholder:
                sys.modules.pop(name, None)
