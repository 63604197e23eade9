"""
A stand-in for STS on loopback, over TLS: it checks nothing and answers AssumeRole.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bench.peers import task

CERTIFICATE_LIFE = timedelta(days=1)
DEFAULT_SESSION_SECONDS = 3600
AWS_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass
class StsStandIn:
    """
    Args:
        folder: where the certificates are written; ``ca.pem`` is what clients must trust.

        latency_seconds: how long an answer takes.

        now: the clock that expiries are counted from.

        calls: start and end of each AssumeRole, by ``time.monotonic``.
    """

    folder: Path
    latency_seconds: float = 0.0
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    calls: list[tuple[float, float]] = field(default_factory=list)

    def __enter__(self) -> "StsStandIn":
        make_certificates(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / "server.pem")
        stand_in = self

        class Answering(_Handler):
            sts = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def origin(self) -> str:
        return f"https://localhost:{self._server.server_address[1]}"

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else the body waits 40 ms for the client to acknowledge the headers, which no real STS makes it do.
    disable_nagle_algorithm = True
    sts: StsStandIn

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Nothing: a benchmark's terminal is for its figures."""

    def _answer(self) -> None:
        started = time.monotonic()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        asked = parse_qs(urlsplit(self.path).query) | parse_qs(body.decode("latin-1"))
        seconds = int(asked.get("DurationSeconds", [str(DEFAULT_SESSION_SECONDS)])[0])
        if self.sts.latency_seconds:
            time.sleep(self.sts.latency_seconds)
        expires_at = (self.sts.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
        is_aws = asked.get("Version") == ["2011-06-15"]
        answer = (_aws_answer if is_aws else _alibaba_answer)(
            expires_at, task.role_token(token_characters(asked.get("RoleArn", [""])[0]))
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml" if is_aws else "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.sts.calls.append((started, time.monotonic()))


def token_characters(role_arn: str) -> int:
    """How long a token its session gets: ``…:role/upload-2048`` asks for 2048 characters."""
    _, _, number = role_arn.rpartition("-")
    return int(number) if number.isdecimal() else task.TOKEN_CHARACTERS


def _alibaba_answer(expires_at: str, token: str) -> str:
    return json.dumps(
        {
            "RequestId": "6894B13B-6D71-4EF5-88FA-F32781734A7F",
            "AssumedRoleUser": {"Arn": f"{task.ROLE_ARN}/bench", "AssumedRoleId": "1:bench"},
            "Credentials": {
                "AccessKeyId": task.ROLE_KEY_ID,
                "AccessKeySecret": task.ROLE_SECRET,
                "SecurityToken": token,
                "Expiration": expires_at,
            },
        }
    )


def _aws_answer(expires_at: str, token: str) -> str:
    return (
        f'<AssumeRoleResponse xmlns="{AWS_NAMESPACE}"><AssumeRoleResult><Credentials>'
        f"<AccessKeyId>{task.ROLE_KEY_ID}</AccessKeyId><SecretAccessKey>{task.ROLE_SECRET}</SecretAccessKey>"
        f"<SessionToken>{token}</SessionToken><Expiration>{expires_at}</Expiration>"
        "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )


def make_certificates(folder: Path) -> None:
    """Write ``ca.pem``, and ``server.pem`` (key and certificate of ``localhost``) signed by it."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "benchmark CA")])
    server_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])

    def sign(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *more: x509.ExtensionType) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + CERTIFICATE_LIFE)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False
            )
        )
        for extension in more:
            builder = builder.add_extension(
                extension, critical=not isinstance(extension, x509.SubjectAlternativeName)
            )
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(Encoding.PEM)

    usage = dict.fromkeys(
        "digital_signature content_commitment key_encipherment data_encipherment key_agreement"
        " encipher_only decipher_only".split(),
        False,
    )
    authority = x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    (folder / "ca.pem").write_bytes(
        sign(ca_name, ca_key, x509.BasicConstraints(ca=True, path_length=0), authority)
    )
    key_text = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(key_text + sign(server_name, server_key, names))
