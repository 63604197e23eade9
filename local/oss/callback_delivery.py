"""
OSS's call to the application server after an upload: signed, within one deadline, strict on the answer.

Source: https://help.aliyun.com/zh/oss/developer-reference/callback
"""

import base64
import contextlib
import http.client
import json
import socket
import ssl
import threading
import time
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local.oss.callback import JSON_TYPE, Callback
from local.oss.errors import OssError, Refusal
from local.oss.rules import OssRules

PUBLIC_KEY_PATH = "/callback_pub_key_v1.pem"
# Named in the request like the real one; the local cloud serves its key at this path on its own origin.
PUBLIC_KEY_URL = f"https://gosspublic.alicdn.com{PUBLIC_KEY_PATH}"
USER_AGENT = "http-client/0.0.1"
CANNOT_CONNECT = "Error status : -1.OSS can not connect to your callbackUrl, please check it."
NOT_JSON = "Response body is not valid json format."


class CallbackSigner:
    """The key pair behind the ``authorization`` header: 2048 bits, where the real one has 512."""

    def __init__(self) -> None:
        self._made: rsa.RSAPrivateKey | None = None
        self._lock = threading.Lock()

    # Made when first needed: most uploads have no callback, and making one takes a tenth of a second.
    @property
    def _private_key(self) -> rsa.RSAPrivateKey:
        with self._lock:
            if self._made is None:
                self._made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            return self._made

    @property
    def public_pem(self) -> bytes:
        return self._private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, target: str, body: bytes) -> str:
        """
        Args:
            target: path and raw query as they go on the request line.
        """
        path, mark, query = target.partition("?")
        signed = unquote_to_bytes(path) + (mark + query).encode() + b"\n" + body
        signature = self._private_key.sign(signed, padding.PKCS1v15(), hashes.MD5())
        return base64.b64encode(signature).decode()


def deliver(callback: Callback, body: bytes, signer: CallbackSigner, rules: OssRules) -> bytes:
    """
    Call the URLs in order until one answers well.

    Returns:
        The JSON that the application server answered, to be handed to the uploader as it is.

    Raises:
        OssError: ``CallbackFailed`` (HTTP 203) with what went wrong last.
    """
    deadline = time.monotonic() + rules.callback_timeout.total_seconds()
    failure = _failed(CANNOT_CONNECT)
    for url in callback.urls:
        parts = urlsplit(url)
        try:
            return _call(parts, callback, body, signer, rules, deadline)
        except OssError as error:
            failure = error
        except (OSError, http.client.HTTPException):
            failure = _failed(CANNOT_CONNECT)
        if time.monotonic() >= deadline:
            raise _timed_out(parts, rules)
    raise failure


def callback_failed() -> OssError:
    """The failure that the fault ``callback_fails`` plays."""
    return _failed("Error status : 500.", "0007-00000203")


def _call(
    url: SplitResult,
    callback: Callback,
    body: bytes,
    signer: CallbackSigner,
    rules: OssRules,
    deadline: float,
) -> bytes:
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection = _connect(url, callback.server_name, deadline)
    stop = threading.Timer(max(deadline - time.monotonic(), 0), _shut, (connection.sock,))
    stop.daemon = True
    try:
        stop.start()
        connection.putrequest("POST", target, skip_host=True, skip_accept_encoding=True)
        for name, value in {
            "Host": callback.host or url.netloc,
            "Content-Type": callback.body_type,
            "Content-Length": str(len(body)),
            "User-Agent": USER_AGENT,
            "authorization": signer.sign(target, body),
            "x-oss-pub-key-url": base64.b64encode(PUBLIC_KEY_URL.encode()).decode(),
        }.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        with connection.getresponse() as response:
            return _read_answer(response, rules)
    finally:
        stop.cancel()
        connection.close()


def _connect(url: SplitResult, server_name: bool, deadline: float) -> http.client.HTTPConnection:
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    connection = http.client.HTTPConnection(host, port)
    connection.sock = socket.create_connection((host, port), timeout=max(deadline - time.monotonic(), 0.001))
    if url.scheme == "https":
        context = ssl.create_default_context()
        # Without SNI there is no name that the certificate could be held against.
        context.check_hostname = server_name
        try:
            connection.sock = context.wrap_socket(
                connection.sock, server_hostname=host if server_name else None
            )
        except OSError:
            connection.close()
            raise
    return connection


def _shut(open_socket: socket.socket) -> None:
    """A socket timeout starts anew with every byte; only this ends an answer that trickles."""
    with contextlib.suppress(OSError):  # it may be over already
        open_socket.shutdown(socket.SHUT_RDWR)


def _read_answer(response: http.client.HTTPResponse, rules: OssRules) -> bytes:
    if response.status != 200:
        raise _failed(f"Error status : {response.status}.", "0007-00000203")
    length = response.getheader("Content-Length", "")
    if response.chunked or not length.isdecimal() or int(length) > rules.max_callback_answer_bytes:
        raise _failed(NOT_JSON, "0007-00000205")
    kind = response.getheader("Content-Type", "").partition(";")[0].strip().lower()
    if rules.callback_needs_json_type and kind != JSON_TYPE:
        raise _failed(NOT_JSON, "0007-00000205")
    body = response.read()
    try:
        json.loads(body.decode())
    except (ValueError, RecursionError):
        raise _failed(NOT_JSON, "0007-00000205") from None
    return body


def _timed_out(url: SplitResult, rules: OssRules) -> OssError:
    milliseconds = round(rules.callback_timeout.total_seconds() * 1000)
    return _failed(
        f"Error status : -1 {url.netloc} reply timeout, cost:{milliseconds}ms, timeout:{milliseconds}ms.",
        "0007-00000202",
    )


def _failed(message: str, ec: str = "0007-00000202") -> OssError:
    return OssError(Refusal(203, "CallbackFailed", message, ec))
