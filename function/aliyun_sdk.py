"""
Alibaba Cloud's Python SDK, used safely: the one file that knows ``aliyunsdkcore``, and every patch of it.

The SDK builds and signs a request, and its own copy of ``requests`` carries it; its client does not, whose
import costs a cold start a tenth, whose errors hold signed URLs, and which asks the environment for keys,
proxies and certificates. A test with the packaged SDK holds every patch.
"""

import re
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any
from urllib.parse import quote

from function import VERSION
from function.credentials import AccessKeys
from function.http.json_body import object_in
from function.network import ExchangeFailed, authorities, verifying_context, with_timeout

CONNECT_TIMEOUT_SECONDS = 1.5
READ_TIMEOUT_SECONDS = 3
# For the whole of a call: a socket's timeouts begin anew with every byte that comes.
CALL_SECONDS = CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS
MAX_ANSWER_BYTES = 64 * 1024
READ_BYTES = 8192
VENDORED = "aliyunsdkcore.vendored.requests.packages"
# Tried by the vendored library, never there: to look for them in vain costs a cold start milliseconds.
NEVER_THERE = (f"{VENDORED}.urllib3.contrib.pyopenssl", f"{VENDORED}.urllib3.contrib.socks")
# Imported by it, and used only to guess the encoding of a text.
FOR_LATER = (f"{VENDORED}.chardet",)


class EmptyJar:
    """A jar of cookies that stays empty: STS sets none, and none would be kept."""

    def __init__(self, _policy: object = None) -> None: ...

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def extract_cookies(self, _response: object, _request: object) -> None: ...

    def add_cookie_header(self, _request: object) -> None: ...


# Modules of the standard library that it imports for proxies, cookies and files, none of which we use; with
# these in their place while it is imported, a cold start takes a twelfth less time.
IN_PLACE_OF: Mapping[str, Mapping[str, Any]] = {
    "urllib.request": {
        # On POSIX the one is the other.
        "pathname2url": quote,
        **dict.fromkeys(("parse_http_list", "getproxies", "getproxies_environment")),
        **dict.fromkeys(("proxy_bypass", "proxy_bypass_environment")),
    },
    "http.cookiejar": {"CookieJar": EmptyJar},
    "http.cookies": {"Morsel": EmptyJar},
}


_one_at_a_time = threading.Lock()


class SdkFailed(Exception):
    """
    Raised for every call that brought no answer of status 200.

    Args:
        reason: for the log; never a text of the SDK's or the service's, which may hold the signed URL.

        status: of HTTP; ``None`` where no whole answer came.

        code: the service's own, such as ``NoPermission``.

        is_transient: whether a second try may mend it (refused, reset, slow, throttled, 503).
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
    """Import what a call needs, without what it does not."""
    for name in NEVER_THERE:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]  # what the import system reads as absent
    for name in FOR_LATER:
        _import_when_used(name)
    with _in_place_of_what_is_not_used():
        import aliyunsdkcore.request  # noqa: F401 - what signs
        import aliyunsdkcore.vendored.requests.packages.urllib3.util.ssl_ as sdk_ssl

    # The vendored urllib3 looks for a function that Python 3.12 removed and then leaves SNI out.
    sdk_ssl.HAS_SNI = True


def call(request: Any, *, endpoint: str, region: str, own: AccessKeys) -> bytes:
    """
    Sign one RPC request and send it, within ``CALL_SECONDS``.

    Args:
        request: of the SDK, its parameters set; a new one for every call, because it carries its nonce.

        endpoint: origin of the service.

    Returns:
        the body of a 200, unchecked.

    Raises:
        SdkFailed: for everything else.
    """
    request.set_accept_format("JSON")
    if own.security_token is not None:
        request.add_query_param("SecurityToken", own.security_token)
    url = endpoint + request.get_url(region, own.access_key_id, own.access_key_secret)
    method = request.get_method()
    try:
        status, body = with_timeout(CALL_SECONDS, endpoint, lambda: _send(method, url))
    except ExchangeFailed as error:
        raise SdkFailed(error.kind, is_transient=True) from None
    if status != 200:
        raise _refusal(status, body)
    return body


def _send(method: str, url: str) -> tuple[int, bytes]:
    from aliyunsdkcore.vendored.requests import Request, RequestException
    from aliyunsdkcore.vendored.requests.packages.urllib3.exceptions import HTTPError

    deadline = time.monotonic() + CALL_SECONDS
    # STS is asked once in most of an hour. A connection that was kept would be dead by then, and after a
    # freeze of the instance nobody may have said so.
    headers = {"User-Agent": f"oss-direct-upload/{VERSION}", "Connection": "close"}
    # The adapter alone: a session would ask the environment for proxies, certificates and passwords.
    adapter = _adapter_for(url)
    try:
        response = adapter.send(
            Request(method, url, headers=headers).prepare(),
            stream=True,
            timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS),
            verify=authorities(),
        )
        parts, size = [], 0
        with closing(response):
            for part in response.iter_content(READ_BYTES):
                size += len(part)
                if size > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                    raise ExchangeFailed("answer over its bounds")
                parts.append(part)
    # The last two are what the vendored library makes of headers or lengths that it cannot read, or of two.
    except (RequestException, OSError, ValueError, HTTPError):
        raise ExchangeFailed("no answer (refused, reset, timed out or TLS)") from None
    finally:
        adapter.close()
    return response.status_code, b"".join(parts)


def _adapter_for(url: str) -> Any:
    from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter

    # Of an address in numbers the vendored library tells TLS nothing, and checks it by itself.
    if not url.startswith("https:") or re.match(r"https://[0-9.:\[]+[:/\]]", url):
        return HTTPAdapter()

    class VerifyingAdapter(HTTPAdapter):  # type: ignore[misc]  # the SDK has no types
        """Checks certificate and name with the context of all outgoing calls, which is read once."""

        def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
            super().init_poolmanager(*arguments, ssl_context=verifying_context(), **options)

        def cert_verify(self, connection: Any, *_told: Any) -> None:
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
    """An upstream's code as it may stand in a log line, whatever the upstream really sent."""
    return re.sub(r"[^A-Za-z0-9._-]", "?", str(value))[:80]


@contextmanager
def _in_place_of_what_is_not_used() -> Iterator[None]:
    # The first two requests of an instance may come at once, one for each of its sessions.
    with _one_at_a_time:
        absent = [name for name in IN_PLACE_OF if name not in sys.modules]
        for name in absent:
            stand_in = sys.modules[name] = ModuleType(name)
            stand_in.__dict__.update(IN_PLACE_OF[name])
        try:
            yield
        finally:
            for name in absent:
                del sys.modules[name]


def _import_when_used(name: str) -> None:
    """Put a stand-in in a module's place, which imports it for whoever asks for something in it."""
    if name in sys.modules:
        return
    stand_in = sys.modules[name] = ModuleType(name)

    def __getattr__(attribute: str) -> Any:
        # Who only looks through all modules asks for such as __file__; who imports a part, for __path__.
        if attribute.startswith("__") and attribute != "__path__":
            raise AttributeError(attribute)
        if sys.modules.get(name) is stand_in:
            del sys.modules[name]
        return getattr(import_module(name), attribute)

    stand_in.__getattr__ = __getattr__  # type: ignore[method-assign]
