"""The package as it is deployed, against a wrong certificate: neither STS nor WeChat is told anything."""

import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

ROLE_TOKEN = "token-of-the-role-canary"
# One function asks STS, the other WeChat; each tells what it answered.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import json, os
from function.app import Function
from function.context import Dependencies
from handler import serve

def ask(mode, path, body):
    event = {"body": json.dumps(body), "requestContext": {"http": {"method": "POST", "path": path}}}
    function = Function(Dependencies({**os.environ, "CALLER_AUTH": mode}, sleep=lambda seconds: None))
    answer = json.loads(serve(function, json.dumps(event).encode(), None)["body"])
    return answer.get("error", {}).get("code", "ok")

said = [ask("anonymous", "/upload-params", {"filename": "a.png"}), ask("wechat", "/login", {"code": "c"})]
print(json.dumps(said))
"""
REFUSED = ["sts_unavailable", "wechat_unavailable"]


class Services(BaseHTTPRequestHandler):
    """STS and WeChat in one, who note what they are told."""

    heard: list[str]

    def do_GET(self) -> None:
        self.heard.append(self.path)
        credentials = {
            "AccessKeyId": "STS.fake",
            "AccessKeySecret": "fake-secret",
            "SecurityToken": "fake-token",
            "Expiration": "2099-01-01T00:00:00Z",
        }
        body = json.dumps({"Credentials": credentials, "openid": "oUser"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_CONNECT = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A handshake that fails is what these tests are about."""


@contextmanager
def serving(certificate: trustme.LeafCert | None) -> Iterator[tuple[int, list[str]]]:
    """The port, and the list of what is heard there; over plain HTTP without a certificate."""

    class Here(Services):
        heard: list[str] = []  # noqa: RUF012 - one list for each server

    server = QuietServer(("127.0.0.1", 0), Here)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port, Here.heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "test-authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def run(python: str, folder: Path, port: int, **environment: str) -> list[str]:
    origin = f"https://localhost:{port}"
    done = subprocess.run(
        # No -I, which hides PYTHONHTTPSVERIFY; no -W error, for how the SDK asks for TLS is deprecated.
        [python, "-s", "-S", "-B", "-c", PROGRAM, str(folder)],
        capture_output=True,
        text=True,
        env={
            "OSS_BUCKET": "photos",
            "OSS_REGION": "cn-hangzhou",
            "STS_ROLE_ARN": "acs:ram::1000000000000001:role/upload",
            "STS_ENDPOINT": origin,
            "WECHAT_APPID": "wx0123456789abcdef",
            "WECHAT_SECRET": "secret",
            "WECHAT_ENDPOINT": origin,
            "TOKEN_SECRET": "token-secret-0123456789abcdefghi",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "STS.function",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
            "ALIBABA_CLOUD_SECURITY_TOKEN": ROLE_TOKEN,
            **environment,
        },
        cwd="/",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: list[str] = json.loads(done.stdout.splitlines()[-1])
    return said


def hostile_environments(ca_file: Path) -> Iterator[dict[str, str]]:
    """Each would have a library trust the wrong certificate, or none be checked."""
    names = ("ALIBABA_CLOUD_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    yield {}
    for value in ("", str(ca_file), "/nowhere.pem"):
        yield {**dict.fromkeys(names, value), "SSL_CERT_DIR": str(ca_file.parent), "PYTHONHTTPSVERIFY": "0"}


@pytest.mark.parametrize("number", range(4), ids=["nothing", "empty names", "the wrong authority", "no file"])
def test_a_wrong_certificate_is_told_nothing_whatever_the_environment_holds(
    package: tuple[Path, bytes], python312: str, authority: trustme.CA, ca_file: Path, number: int
) -> None:
    """An empty ALIBABA_CLOUD_CA_BUNDLE switched the check off, and the token of the role was read."""
    environment = list(hostile_environments(ca_file))[number]
    with serving(authority.issue_cert("localhost")) as (port, heard):
        assert run(python312, package[0], port, **environment) == REFUSED
    assert heard == []


def trusting(package: Path, ca_file: Path, folder: Path) -> Path:
    """A copy that trusts the test's authority, the only way there is: by the file that it brings."""
    shutil.copytree(package, folder)
    shutil.copyfile(ca_file, folder / "certifi" / "cacert.pem")
    return folder


def test_a_certificate_of_another_name_is_told_nothing_though_its_authority_is_trusted(
    package: tuple[Path, bytes], python312: str, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    folder = trusting(package[0], ca_file, tmp_path / "function")
    with serving(authority.issue_cert("elsewhere.example")) as (port, heard):
        assert run(python312, folder, port) == REFUSED
    assert heard == []


def test_a_good_certificate_is_asked_and_no_proxy_of_the_environment(
    package: tuple[Path, bytes], python312: str, authority: trustme.CA, ca_file: Path, tmp_path: Path
) -> None:
    """The same question, so that the refusals above have no other reason than the certificate."""
    folder = trusting(package[0], ca_file, tmp_path / "function")
    good = authority.issue_cert("localhost")
    with serving(None) as (proxy_port, heard_by_proxy), serving(good) as (port, heard):
        names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
        proxies = dict.fromkeys(names, f"http://127.0.0.1:{proxy_port}")
        assert run(python312, folder, port, **proxies) == ["ok", "ok"]
    assert heard_by_proxy == []
    assert [ROLE_TOKEN in path for path in heard] == [True, False]
