"""The used part of the SDK, and the reading of its failures."""

import ast
import importlib
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import aliyunsdkcore.vendored.requests
import pytest
from aliyunsdkcore.vendored.requests import ConnectionError as ConnectionFailed
from aliyunsdkcore.vendored.requests.adapters import HTTPAdapter
from aliyunsdkcore.vendored.requests.packages.urllib3.exceptions import InvalidHeader

from function import VERSION
from function.errors import StsRejected, StsUnavailable
from function.sts import aliyun_sdk
from function.sts.aliyun_sdk import MAX_RESPONSE_BYTES, SdkFailed
from function.sts.assume_role import StsClient
from function.sts.credentials import AccessKeys
from function.time_limit import ExchangeFailed
from function.tls_trust import ca_bundle_path, verifying_context
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
OWN = AccessKeys("own", "secret", "token")
HOUR = timedelta(hours=1)


class Answered:
    """A response of the vendored library whose body arrives in parts."""

    def __init__(self, status=200, parts=(b"{}",)):
        self.status_code = status
        self.parts = parts
        self.read = []
        self.is_closed = False

    def iter_content(self, _size):
        for part in self.parts:
            self.read.append(part)
            yield part

    def close(self):
        self.is_closed = True


@pytest.fixture
def sent(monkeypatch):
    """Record the sent requests; respond or raise as the test defines."""
    asked = []

    def answer_with(response):
        def send(_adapter, request, **options):
            asked.append(SimpleNamespace(request=request, **options))
            if isinstance(response, Exception):
                raise response
            return response

        monkeypatch.setattr(HTTPAdapter, "send", send)
        return asked

    return answer_with


def assume(clock, attempts=2, endpoint="https://sts.cn-beijing.aliyuncs.com"):
    client = StsClient(endpoint, "cn-beijing", "acs:ram::1:role/x", HOUR, sleep=lambda _seconds: None)
    return client.assume_role("{}", OWN, clock(), attempts=attempts)


def refusal(status, code):
    return Answered(status, [f'{{"Code": "{code}", "Message": "secret", "RequestId": "id"}}'.encode()])


@pytest.mark.parametrize("kind", [ConnectionFailed, OSError, ValueError, InvalidHeader])
def test_a_call_without_a_response_is_repeated_once(sent, clock, kind):
    asked = sent(kind("secret"))
    with pytest.raises(StsUnavailable) as raised:
        assume(clock)
    error = raised.value
    assert error.reason == "AssumeRole: no response (refused, reset, timed out or TLS)"
    assert (len(asked), error.upstream, error.__cause__, error.__suppress_context__) == (2, "", None, True)


@cases("status", "body", "error", "tries", "code", "request_id")
def test_each_refusal_has_its_attempts_and_its_reason(
    sent, clock, status, body, error, tries, code, request_id
):
    asked = sent(Answered(status, [body]))
    with pytest.raises({"rejected": StsRejected, "unavailable": StsUnavailable}[error]) as raised:
        assume(clock)
    assert raised.value.reason == f"AssumeRole: HTTP {status} {code}, request {request_id}"
    assert (len(asked), raised.value.upstream) == (tries, code)
    assert raised.value.__cause__ is None and raised.value.__suppress_context__


def test_only_the_configured_endpoint_is_called(sent, clock):
    asked = sent(refusal(403, "x"))
    with pytest.raises(StsRejected):
        assume(clock, endpoint="https://sts-vpc.cn-beijing.aliyuncs.com")
    assert asked[0].request.url.startswith("https://sts-vpc.cn-beijing.aliyuncs.com/?")
    assert "RegionId=cn-beijing" in asked[0].request.url


def rejected(sent, clock):
    """Return the request of a call that STS refuses."""
    asked = sent(refusal(403, "x"))
    with pytest.raises(StsRejected):
        assume(clock)
    return asked[0]


@pytest.mark.parametrize("value", ["", "/nowhere/ca.pem", "false"])
def test_certificates_are_verified_whatever_the_environment_says(sent, clock, monkeypatch, value):
    for name in ("ALIBABA_CLOUD_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, value)
    assert rejected(sent, clock).verify == ca_bundle_path()
    assert ca_bundle_path().endswith("certifi/cacert.pem")


def test_proxies_of_the_environment_are_ignored_by_the_sdk(sent, clock, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    asked = rejected(sent, clock)
    assert not hasattr(asked, "proxies")
    own = {"User-Agent": f"oss-direct-upload/{VERSION}", "Connection": "close", "Content-Length": "0"}
    assert asked.request.headers == own


def call(own=OWN):
    from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest

    aliyun_sdk.prepare()
    return aliyun_sdk.call(
        AssumeRoleRequest(), endpoint="https://sts.cn-beijing.aliyuncs.com", region="cn-beijing", own=own
    )


def test_a_response_is_read_in_blocks(sent):
    asked = sent(Answered(parts=[b"{", b"}"]))
    assert call() == b"{}"
    assert asked[0].timeout == (1.5, 3)
    assert asked[0].stream is True
    assert asked[0].request.method == "POST"
    assert "&Format=JSON&" in asked[0].request.url


def test_a_response_over_64_kb_is_abandoned(sent):
    sent(Answered(parts=[b"x" * (MAX_RESPONSE_BYTES - 1), b"y"]))
    assert len(call()) == 64 * 1024 == MAX_RESPONSE_BYTES
    larger = Answered(parts=[b"x" * MAX_RESPONSE_BYTES, b"y", b"never read"])
    sent(larger)
    with pytest.raises(SdkFailed) as raised:
        call()
    assert raised.value.is_transient
    assert larger.is_closed


def test_a_response_slower_than_a_call_is_abandoned(sent, monkeypatch):
    late = Answered(parts=[b"x", b"y"])
    sent(late)
    times = iter([0.0, 4.5, 4.6])
    monkeypatch.setattr(time, "monotonic", lambda: next(times, 9.0))
    with pytest.raises(ExchangeFailed):
        aliyun_sdk._send("POST", "https://sts.cn-beijing.aliyuncs.com/")
    # Four seconds and a half are within a call's time, and not a moment more.
    assert late.read == [b"x", b"y"]
    assert late.is_closed


@pytest.mark.parametrize("response", [Answered(), OSError("secret")])
def test_connections_are_always_closed(sent, monkeypatch, response):
    closed = []
    monkeypatch.setattr(HTTPAdapter, "close", lambda _adapter: closed.append("adapter"))
    asked = sent(response)
    with suppress(SdkFailed):
        call()
    assert closed == ["adapter"]
    assert asked[0].request.headers["Connection"] == "close"


def test_a_key_pair_without_a_token_sends_none(sent):
    asked = sent(Answered())
    call(AccessKeys("LTAIown", "secret", None))
    assert "SecurityToken" not in asked[0].request.url


@pytest.fixture
def deferred(monkeypatch, tmp_path):
    """A package that nobody has imported yet, with a module in it."""
    package = tmp_path / "for_later"
    package.mkdir()
    for name, text in (("__init__", "answer = 42"), ("part", "answer = 43")):
        (package / f"{name}.py").write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(aliyun_sdk, "DEFERRED", ("for_later", "json"))
    yield "for_later"
    for name in ("for_later", "for_later.part"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("is_used_at_once", [True, False])
def test_a_deferred_module_is_imported_on_first_use(deferred, is_used_at_once):
    json = sys.modules["json"]
    with aliyun_sdk._placeholders():
        placeholder = importlib.import_module(deferred)
        assert (placeholder.__spec__, hasattr(placeholder, "__file__")) == (None, False)
        assert sys.modules["json"] is json
        if is_used_at_once:
            assert placeholder.answer == 42
    assert (deferred in sys.modules, sys.modules["json"]) == (is_used_at_once, json)
    assert placeholder.answer == 42
    imported = sys.modules[deferred]
    assert imported.__spec__.name == deferred
    assert placeholder.answer == 42
    assert sys.modules[deferred] is imported
    with pytest.raises(AttributeError):
        placeholder.nothing  # noqa: B018
    assert importlib.import_module(f"{deferred}.part").answer == 43


def test_a_placeholder_is_temporary_and_never_replaces_an_imported_module(monkeypatch):
    monkeypatch.setattr(aliyun_sdk, "PLACEHOLDERS", {"not_imported": {"answer": 42}, "json": {}})
    monkeypatch.setattr(aliyun_sdk, "DEFERRED", ())
    json = sys.modules["json"]
    with aliyun_sdk._placeholders():
        assert importlib.import_module("not_imported").answer == 42
        assert sys.modules["json"] is json
    assert "not_imported" not in sys.modules
    assert sys.modules["json"] is json


def test_no_placeholder_is_left_after_the_import_of_the_sdk():
    import http.cookiejar
    import http.cookies
    import urllib.request

    aliyun_sdk.prepare()
    assert http.cookiejar.CookieJar is not aliyun_sdk.EmptyJar
    assert issubclass(http.cookies.Morsel, dict)
    assert urllib.request.getproxies is not None


@pytest.mark.parametrize(
    ("url", "is_shared"),
    [
        ("https://sts.cn-beijing.aliyuncs.com", True),
        ("https://sts.cn-beijing.aliyuncs.com:443/", True),
        ("https://127.0.0.1/", False),
        ("https://127.0.0.1:8443", False),
        ("https://[::1]:8443/", False),
        ("http://sts.localhost", False),
    ],
)
def test_named_https_hosts_are_verified_with_the_shared_context(url, is_shared):
    aliyun_sdk.prepare()
    with closing(aliyun_sdk._adapter_for(url)) as adapter:
        assert isinstance(adapter, HTTPAdapter)
        context = adapter.poolmanager.connection_pool_kw.get("ssl_context")
        assert (context is verifying_context()) == is_shared
        connection = SimpleNamespace(cert_reqs=None, ca_certs=None, ca_cert_dir=None)
        adapter.cert_verify(connection, url, ca_bundle_path(), None)
        assert connection.cert_reqs == ("CERT_NONE" if url.startswith("http:") else "CERT_REQUIRED")
        assert (connection.ca_certs is None) == (is_shared or url.startswith("http:"))


def test_a_second_prepare_waits_for_the_first_and_places_nothing(monkeypatch):
    """Its placeholders would be in the way of a thread that reads the XML of OSS."""
    entered, leave, placed = threading.Event(), threading.Event(), []

    class Placeholders(dict):
        def __iter__(self):
            placed.append(threading.current_thread())
            entered.set()
            leave.wait(10)
            return iter(())

    monkeypatch.setattr(aliyun_sdk, "DEFERRED", ())
    monkeypatch.setattr(aliyun_sdk, "PLACEHOLDERS", Placeholders())
    aliyun_sdk._import_once.cache_clear()
    threads = [threading.Thread(target=aliyun_sdk.prepare) for _ in range(2)]
    threads[0].start()
    assert entered.wait(10)
    threads[1].start()
    threads[1].join(0.1)
    assert threads[1].is_alive()
    leave.set()
    for thread in threads:
        thread.join(10)
    assert placed == threads[:1]


LATE = {"email.header", "stringprep", "array", "selectors", "zlib", "calendar"}
LATE.add("aliyunsdkcore.vendored.requests.packages.chardet")
USES = r"""
import sys
sys.path.insert(0, ".")
from function.sts import aliyun_sdk
late = set(sys.argv[1:])
assert not late & set(sys.modules)
aliyun_sdk.prepare()
import aliyunsdkcore.vendored.requests.adapters
assert not late & set(sys.modules)
import array, calendar, email.header, email.message, email.utils, selectors, zlib
assert email.utils.parsedate_to_datetime("Sat, 28 Nov 2026 00:00:00 GMT").timestamp() == 1795824000
assert "bücher".encode("idna") == b"xn--bcher-kva"
message = email.message.Message()
message["Subject"] = email.header.Header("grün", "utf-8")
assert message.as_string().startswith("Subject: =?utf-8?")
assert email.message_from_bytes(b"Subject: gr\xfcn\n\n")["Subject"].encode() == "=?unknown-8bit?q?gr=FCn?="
assert array.array("i", [1]).itemsize and zlib.crc32(b"") == 0 and selectors.DefaultSelector
print("same")
"""


def test_the_library_does_later_what_the_modules_are_for_that_it_did_not_import():
    shown = subprocess.run(
        [sys.executable, "-I", "-c", USES, *LATE],
        cwd=Path(aliyun_sdk.__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert (shown.stdout.strip(), shown.stderr) == ("same", "")
    assert {*aliyun_sdk.DEFERRED} == LATE


def test_an_empty_jar_stays_empty():
    jar = aliyun_sdk.EmptyJar()
    jar.extract_cookies(None, None)
    jar.add_cookie_header(None)
    assert (list(jar), len(jar)) == ([], 0)


def test_each_placeholder_has_what_the_sdk_imports_from_that_module():
    imported = {}
    for path in Path(aliyunsdkcore.vendored.requests.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module in aliyun_sdk.PLACEHOLDERS:
                imported.setdefault(node.module, set()).update(alias.name for alias in node.names)
    imported["urllib.request"].add("pathname2url")  # by its copy of six, for Requests' files
    imported["http.cookiejar"] = {"CookieJar"}  # imported as a module, and used as the base of a jar
    # Imported as modules; nothing that we call uses the others.
    imported |= {"platform": {"system"}, "mimetypes": set(), "random": {"getrandbits"}}
    imported |= dict.fromkeys(("xml", "xml.etree", "xml.etree.cElementTree"), set())
    assert {name: set(fields) for name, fields in aliyun_sdk.PLACEHOLDERS.items()} == imported
    jars = (
        aliyun_sdk.PLACEHOLDERS["http.cookiejar"]["CookieJar"],
        aliyun_sdk.PLACEHOLDERS["http.cookies"]["Morsel"],
    )
    assert jars == (aliyun_sdk.EmptyJar, aliyun_sdk.EmptyJar)
    assert aliyun_sdk.PLACEHOLDERS["urllib.request"]["pathname2url"]("a b") == "a%20b"
    draw = aliyun_sdk.PLACEHOLDERS["random"]["getrandbits"]
    drawn = {draw(64) for _ in range(64)}
    assert (len(drawn), max(drawn) >> 60 > 0, max(drawn) >> 64) == (64, True, 0)
