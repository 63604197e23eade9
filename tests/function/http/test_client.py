"""One exchange within its bounds, whatever the server does, over real sockets on loopback."""

import gzip
import shutil
import socket
import ssl
import threading
import time
from contextlib import contextmanager
from types import SimpleNamespace

import certifi
import pytest
import trustme

from function import VERSION, time_limit, tls_trust
from function.http.client import DEFAULT_MAX_BYTES, ExchangeFailed, _pieces, _read, send
from function.sts import aliyun_sdk
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

OK = b"HTTP/1.1 200 OK\r\n"
# Instead of a budget or a wait, where that is not tested: a busy machine may be late.
PATIENCE_SECONDS = 20.0


class Peer:
    """A server that reads one request's head and then does what the test defines."""

    def __init__(self, listener):
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.heads = []


@contextmanager
def peer(act, tls=None):
    listener = socket.create_server(("127.0.0.1", 0))
    seen = Peer(listener)
    done = threading.Event()

    def serve():
        while not done.is_set():
            try:
                accepted, _ = listener.accept()
            except OSError:
                return  # shut down below
            accepted.settimeout(PATIENCE_SECONDS)
            try:
                with tls.wrap_socket(accepted, server_side=True) if tls else accepted as connection:
                    seen.heads.append(read_head(connection))
                    act(connection, done)
            except OSError:
                continue  # the other side hung up, which is what these tests are about

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        thread.join()
        listener.close()


def read_head(connection):
    received = b""
    while b"\r\n\r\n" not in received and (part := connection.recv(4096)):
        received += part
    return received.decode("latin-1")


def sends(*parts):
    return lambda connection, _done: [connection.sendall(part) for part in parts]


def trickles(head, drip):
    """Send a head and then a drip again and again."""

    def act(connection, done):
        connection.sendall(head)
        while not done.wait(0.02):
            connection.sendall(drip)

    return act


def with_body(body, *lines):
    head = OK + b"".join(line + b"\r\n" for line in lines)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def ask(url, budget_seconds=PATIENCE_SECONDS, **options):
    return send(options.pop("method", "GET"), url, budget_seconds=budget_seconds, **options)


def failure(url, **options):
    with pytest.raises(ExchangeFailed) as raised:
        ask(url, **options)
    return raised.value


def test_any_status_is_returned_with_its_body():
    with peer(sends(b"HTTP/1.1 418 No\r\nContent-Length: 3\r\n\r\nabc")) as other:
        answer = ask(f"{other.url}/x", query={"secret": "a&b=c d"})
    assert (answer.status, answer.body) == (418, b"abc")
    assert other.heads[0] == (
        "GET /x?secret=a%26b%3Dc+d HTTP/1.1\r\n"
        f"Host: {other.url.removeprefix('http://')}\r\n"
        "Accept: */*\r\nAccept-Encoding: identity\r\n"
        f"User-Agent: oss-direct-upload/{VERSION}\r\nConnection: close\r\n\r\n"
    )


def test_header_names_are_lower_case_and_the_last_value_counts():
    lines = (b'ETag: "A"', b"X-Oss-Meta-A: 1", b"x-oss-meta-a:2", b"Empty:")
    with peer(sends(with_body(b"", *lines))) as other:
        headers = ask(other.url).headers
    assert headers == {"etag": '"A"', "x-oss-meta-a": "2", "empty": "", "content-length": "0"}


def test_response_headers_over_64_kib_are_refused():
    # Two lines, because the library takes no line of 64 KiB.
    for more in (0, 1):
        with peer(sends(with_body(b"", b"a: " + b"x" * 32768, b"b: " + b"x" * (32767 + more)))) as other:
            if more:
                assert failure(other.url).kind == "headers over the size limit"
            else:
                assert sum(map(len, ask(other.url).headers.values())) == 64 * 1024


def test_a_head_response_has_the_length_of_its_absent_body():
    with peer(sends(OK + b"Content-Length: 344606\r\n\r\n")) as other:
        answer = ask(other.url, method="HEAD")
    assert (answer.status, answer.body, answer.headers) == (200, b"", {"content-length": "344606"})


@cases("path", "target")
def test_a_url_is_requested_as_written(path, target):
    with peer(sends(with_body(b""))) as other:
        ask(f"{other.url}{path}")
    assert other.heads[0].startswith(f"GET {target} HTTP/1.1\r\n")


def test_a_body_is_sent_with_its_headers():
    with peer(sends(with_body(b""))) as other:
        ask(f"{other.url}/hook", method="POST", body=b'{"receipt":1}', headers={"Content-Type": "x/y"})
    for line in ("POST /hook HTTP/1.1", "Content-Type: x/y", "Content-Length: 13"):
        assert line in other.heads[0].split("\r\n")


def test_a_large_body_arrives_whole():
    body, came = b"0123456789" * 20_000, []

    def act(connection, _done):
        # Its begin may have come with the head.
        came.append(other.heads[0].partition("\r\n\r\n")[2].encode())
        while sum(map(len, came)) < len(body):
            came.append(connection.recv(65536))
        connection.sendall(with_body(b""))

    with peer(act) as other:
        assert ask(other.url, method="PUT", body=body).status == 200
    assert b"".join(came) == body
    assert other.heads[0].count("Content-Length: 200000") == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(status):
    with peer(sends(with_body(b"SECRET"))) as elsewhere:
        move = b"HTTP/1.1 %d Moved\r\nLocation: %s/\r\nContent-Length: 0\r\n\r\n"
        with peer(sends(move % (status, elsewhere.url.encode()))) as other:
            answer = ask(other.url)
        assert answer.status == status
        assert elsewhere.heads == []


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_proxies_of_the_environment_are_ignored(monkeypatch, name):
    with peer(sends(with_body(b"via the proxy"))) as proxy, peer(sends(with_body(b"direct"))) as other:
        monkeypatch.setenv(name, proxy.url)
        assert ask(other.url).body == b"direct"
        assert proxy.heads == []


def test_netrc_is_ignored(monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with peer(sends(with_body(b""))) as other:
        ask(other.url)
    assert "authorization" not in other.heads[0].lower()


@pytest.mark.parametrize(("limit", "options"), [(100, {"max_bytes": 100}), (64 * 1024, {})])
def test_a_body_of_max_bytes_is_accepted_and_one_byte_more_is_refused(limit, options):
    for length in (limit, limit + 1):
        with peer(sends(with_body(b"x" * length))) as other:
            if length == limit:
                assert len(ask(other.url, **options).body) == limit
            else:
                assert failure(other.url, **options).kind == "response over the size limit"


@pytest.mark.parametrize(
    "length", [b"Content-Length: 99", b"Content-Length: 999999", b"Transfer-Encoding: chunked"]
)
def test_an_unwanted_body_is_not_read(length):
    def begin(connection, done):
        connection.sendall(OK + length + b"\r\n\r\n9\r\nfor ever")
        done.wait(PATIENCE_SECONDS)

    with peer(begin) as endless:
        response = ask(endless.url, max_bytes=0)
    assert (response.status, response.body) == (200, b"")


def test_an_endless_response_is_abandoned_at_the_size_limit():
    def act(connection, done):
        connection.sendall(OK + b"\r\n")
        while not done.is_set():
            connection.sendall(b"x" * 65536)

    with peer(act) as other:
        assert failure(other.url).kind == "response over the size limit"


def test_a_compressed_response_is_not_decompressed():
    bomb = gzip.compress(b"0" * DEFAULT_MAX_BYTES * 100)
    with peer(sends(with_body(bomb, b"Content-Encoding: gzip"))) as other:
        assert ask(other.url, max_bytes=len(bomb)).body == bomb
    assert "accept-encoding: identity\r\n" in other.heads[0].lower()


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (b"nonsense\r\n\r\n",),
        (OK + b"Content-Length: 10\r\n\r\nshort",),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",),
        (OK + b"X: " + b"y" * 70000 + b"\r\n\r\n",),
        (OK + b"X: y\r\n" * 200 + b"\r\n",),
    ],
    ids=["hangs up", "no HTTP", "short of its length", "bad chunk", "long header", "many headers"],
)
def test_a_broken_response_is_a_failure(parts):
    with peer(sends(*parts)) as other:
        assert failure(other.url).kind.isidentifier()


@cases("head", "drip")
def test_a_slow_server_is_abandoned_within_the_budget(head, drip):
    with peer(trickles(head, drip)) as other:
        # Otherwise it would never end.
        kind = failure(other.url, budget_seconds=0.25).kind
    assert kind in ("response too slow", "timed out", "TimeoutError")


def test_reading_ends_after_a_response_is_abandoned():
    hung_up = threading.Event()

    def act(connection, done):
        connection.sendall(OK + b"Content-Length: 100000\r\n\r\n")
        try:
            while not done.wait(0.02):
                connection.sendall(b"x")
        except OSError:
            hung_up.set()

    with peer(act) as other:
        failure(other.url, budget_seconds=0.1)
        assert hung_up.wait(PATIENCE_SECONDS)


def test_no_response_is_read_beyond_its_deadline_however_steadily_it_comes():
    steady = SimpleNamespace(read1=lambda _size: b"x")
    with pytest.raises(ExchangeFailed, match="response too slow"):
        _read(steady, 0.0, max_bytes=9)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_waiting_ends_after_a_server_is_abandoned(scheme):
    hung_up = threading.Event()

    def act(connection, _done):
        # With TLS the greeting was taken for a head that never ended.
        if not connection.recv(1):
            hung_up.set()

    with peer(act) as other:
        failure(other.url.replace("http", scheme), budget_seconds=0.1)
        assert hung_up.wait(PATIENCE_SECONDS)


def test_a_slow_name_lookup_is_abandoned_within_the_budget(monkeypatch):
    done = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: done.wait(PATIENCE_SECONDS) and [])
    try:
        assert failure("http://slow.example/", budget_seconds=0.1).kind == "timed out"
    finally:
        done.set()


def test_no_body_is_sent_after_its_deadline(monkeypatch):
    lookup, found, came = socket.getaddrinfo, threading.Event(), threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: found.wait() and lookup(*args, **more))
    rest = []

    def act(connection, _done):
        while part := connection.recv(4096):
            rest.append(part)
        came.set()

    with peer(act) as server:
        late = failure(server.url, method="PUT", body=b"late" * 8, budget_seconds=0.01)
        assert late.kind == time_limit.TIMED_OUT
        found.set()
        # Nobody waits for it any more, but it goes on.
        assert came.wait(PATIENCE_SECONDS)
    assert "late" not in server.heads[0] + b"".join(rest).decode()


def test_a_body_is_sent_up_to_its_deadline(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(time, "monotonic", lambda: 5.0)
        sent = [*_pieces(b"in time", 5.0)]
    assert sent == [b"in time"]


def test_a_refused_connection_is_a_failure_that_hides_the_url():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    error = failure(f"http://127.0.0.1:{port}/", query={"secret": "canary"})
    assert str(error) == error.kind
    assert "canary" not in str(error)
    assert error.__cause__ is None


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x/", "gopher://x/", "http://", "http://[", "x"])
def test_an_invalid_url_is_a_failure(url):
    assert failure(url).kind.isidentifier()


@pytest.fixture
def certificate(tmp_path):
    """Make a certificate with its key and its authority in one file."""

    def make(name):
        authority = trustme.CA()
        pem = authority.issue_cert(name).private_key_and_cert_chain_pem.bytes() + authority.cert_pem.bytes()
        (tmp_path / "certificate.pem").write_bytes(pem)
        return tmp_path / "certificate.pem"

    return make


@pytest.fixture
def trusting(monkeypatch, tmp_path_factory):
    """Replace the packaged authorities by a file."""

    def trust(path):
        folder = tmp_path_factory.mktemp("site")
        (folder / "certifi").mkdir()
        (folder / "certifi" / "__init__.py").touch()
        shutil.copy(path, folder / "certifi" / "cacert.pem")
        monkeypatch.syspath_prepend(folder)
        tls_trust.verifying_context.cache_clear()

    yield trust
    tls_trust.verifying_context.cache_clear()


@contextmanager
def tls_peer(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with peer(sends(with_body(b"secret")), context) as other:
        other.url = other.url.replace("http://127.0.0.1", "https://localhost")
        yield other


def test_an_untrusted_certificate_is_refused_whatever_the_environment_says(certificate, monkeypatch):
    tls_trust.verifying_context.cache_clear()
    path = certificate("localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with tls_peer(path) as other:
        assert failure(other.url).kind == "SSLCertVerificationError"
        assert other.heads == []


def test_a_certificate_is_valid_for_its_own_name_only(certificate, trusting):
    path = certificate("localhost")
    trusting(path)
    with tls_peer(path) as other:
        assert ask(other.url).body == b"secret"
        assert failure(other.url.replace("localhost", "127.0.0.1")).kind == "SSLCertVerificationError"
        assert len(other.heads) == 1


def test_the_authorities_are_the_packaged_ones():
    assert tls_trust.ca_bundle_path() == certifi.where()


def test_the_authorities_of_a_package_are_a_folder_that_is_read_when_needed(monkeypatch, tmp_path):
    (tmp_path / "certifi" / "authorities").mkdir(parents=True)
    (tmp_path / "certifi" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    tls_trust.verifying_context.cache_clear()
    assert tls_trust.ca_bundle_path() == str(tmp_path / "certifi" / "authorities")
    assert tls_trust.verifying_context().cert_store_stats()["x509"] == 0
    tls_trust.verifying_context.cache_clear()


@pytest.mark.parametrize("named", [None, "", "/nowhere", "itself"])
def test_sts_needs_a_certificate_of_the_packaged_authorities(certificate, trusting, monkeypatch, named):
    path = certificate("localhost")
    trusting(tls_trust.ca_bundle_path())
    if named is not None:
        monkeypatch.setenv("ALIBABA_CLOUD_CA_BUNDLE", str(path) if named == "itself" else named)
    aliyun_sdk.prepare()
    # Neither an unknown authority, nor another name.
    for is_trusted, name in ((False, "localhost"), (True, "localhost"), (True, "sts.example")):
        path = certificate(name)
        if is_trusted:
            trusting(path)
        with tls_peer(path) as other:
            if is_trusted and name == "localhost":
                assert aliyun_sdk._send("POST", f"{other.url}/") == (200, b"secret")
                continue
            with pytest.raises(ExchangeFailed):
                aliyun_sdk._send("POST", f"{other.url}/")
            assert other.heads == []


def test_the_authorities_are_read_once_for_all_upstreams(certificate, trusting, monkeypatch):
    path = certificate("localhost")
    trusting(path)
    made = []
    make = ssl.create_default_context
    monkeypatch.setattr(ssl, "create_default_context", lambda **given: made.append(given) or make(**given))
    aliyun_sdk.prepare()
    with tls_peer(path) as other:
        ask(other.url)
        aliyun_sdk._send("POST", f"{other.url}/")
    assert made == [{"cafile": tls_trust.ca_bundle_path()}]
