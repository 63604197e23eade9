"""A server on loopback that breaks in every way a dependency can, on the wire and in what it says."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from tempfile import TemporaryDirectory

GIVE_UP_SECONDS = 30
TRICKLE_SECONDS = 0.25
SLOW_SECONDS = 0.3
HUGE_BYTES = 256 * 2**20
CHUNK = b" " * 65536

Play = Callable[[socket.socket], None]


def whole(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(body), body)


@dataclass(frozen=True)
class Fault:
    """
    One way to break.

    Args:
        play: given the connection after the request was read.

        is_refused: nobody listens at all.

        certificate: "" for plain HTTP, else the way TLS breaks: ``unknown``, ``expired``, ``future``,
            ``none`` (the server does not speak TLS).
    """

    play: Play
    is_refused: bool = False
    certificate: str = ""


def _nothing(_connection: socket.socket) -> None:
    pass


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _hang(connection: socket.socket) -> None:
    connection.settimeout(GIVE_UP_SECONDS)
    with suppress(OSError):
        connection.recv(1)


def _late(connection: socket.socket) -> None:
    time.sleep(SLOW_SECONDS)
    connection.sendall(whole(200, b"{}"))


def _trickle(data: bytes) -> Play:
    def play(connection: socket.socket) -> None:
        for index in range(int(GIVE_UP_SECONDS / TRICKLE_SECONDS)):
            connection.sendall(data[index % len(data) :][:1])
            time.sleep(TRICKLE_SECONDS)

    return play


def _trickle_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    _trickle(b" ")(connection)


def _cut(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")


def _huge(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(HUGE_BYTES // len(CHUNK)):
        connection.sendall(CHUNK)


def answers(status: int, body: bytes) -> Fault:
    return Fault(lambda connection: connection.sendall(whole(status, body)))


# On the wire, whatever is asked; the names are those of the vocabulary of faults.
WIRE = {
    "refused": Fault(_nothing, is_refused=True),
    "reset": Fault(_reset),
    "drop": Fault(_nothing),
    "slow": Fault(_late),
    "slow_headers": Fault(_trickle(b"HTTP/1.1 200 OK\r\nX-" + b"a" * 4000)),
    "slow_body": Fault(_trickle_body),
    "hang": Fault(_hang),
    "no_tls": Fault(_nothing, certificate="none"),
    "wrong_certificate": Fault(_nothing, certificate="unknown"),
    "expired_certificate": Fault(_nothing, certificate="expired"),
    "future_certificate": Fault(_nothing, certificate="future"),
    "truncated": Fault(_cut),
    "huge": Fault(_huge),
}


@contextmanager
def serving(fault: Fault) -> Iterator[str]:
    """The origin of a server that plays ``fault``."""
    if fault.is_refused:
        # Bound, never listening: a closed one's port would go to whichever server starts next.
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            yield f"http://127.0.0.1:{deaf.getsockname()[1]}"
        return
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"127.0.0.1:{listener.getsockname()[1]}"
    over = threading.Event()
    thread = threading.Thread(target=_accept, args=(listener, fault, over), daemon=True)
    thread.start()
    try:
        yield f"{'https' if fault.certificate else 'http'}://{origin}"
    finally:
        over.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _accept(listener: socket.socket, fault: Fault, over: threading.Event) -> None:
    while not over.is_set():
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_serve, args=(connection, fault), daemon=True).start()


def _serve(connection: socket.socket, fault: Fault) -> None:
    with connection, suppress(OSError):
        connection.settimeout(GIVE_UP_SECONDS)
        if fault.certificate not in ("", "none"):
            with _context(fault.certificate).wrap_socket(connection, server_side=True) as secure:
                _answer(secure, fault)
        else:
            _answer(connection, fault)


def _answer(connection: socket.socket, fault: Fault) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        part = connection.recv(65536)
        if not part:
            return
        request += part
        if fault.certificate == "none":
            connection.sendall(b"HTTP/1.1 400 plain HTTP is spoken here\r\n\r\n")
            return
    fault.play(connection)


@lru_cache
def _context(kind: str) -> ssl.SSLContext:
    """TLS with a certificate that nobody should accept: of an unknown issuer, over, or not yet begun."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    begins = datetime.now(UTC) + {"expired": timedelta(days=-9), "future": timedelta(days=9)}.get(
        kind, timedelta(days=-1)
    )
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=5))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(path)
    return context
