"""The package as it is deployed, asked what needs its dependencies: keys, STS, certificates."""

import json
import shutil
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from gzip import compress
from pathlib import Path

import jwt
import pytest
import trustme

from ops.package.authorities import trust
from tests.ops.package.services import credentials, run_bare, serving, settings

KEYS = Path(__file__).parents[2] / "keys"
ROLE_TOKEN = "token-of-the-role-canary"
# Each request is to a function of its own, whose error code is printed.
PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import json, os
from function.app import Function
from function.context import Dependencies
from handler import serve

def ask(environ, path, body, headers):
    http = {"method": "POST", "path": path, "sourceIp": "203.0.113.7"}
    event = {"body": json.dumps(body), "headers": headers, "requestContext": {"http": http}}
    function = Function(Dependencies({**os.environ, **environ}, sleep=lambda seconds: None))
    answer = json.loads(serve(function, json.dumps(event).encode(), None)["body"])
    return answer.get("error", {}).get("code", "ok")

print(json.dumps([ask(*each) for each in json.loads(os.environ["ASKED"])]))
"""
REFUSED = ["sts_unavailable", "login_unavailable"]


@contextmanager
def heard_at(certificate):
    """STS and WeChat in one: the port, and the list of the paths that are requested there."""
    heard: list[str] = []

    def respond(path):
        heard.append(path)
        return credentials(openid="oUser")

    with serving(respond, certificate) as port:
        yield port, heard


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def ca_file(authority, tmp_path):
    path = tmp_path / "test-authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def run(python, folder, port, **environment):
    origin = f"https://localhost:{port}"
    wechat = {"WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "secret", "WECHAT_ENDPOINT": origin}
    environ = settings(origin, **wechat) | {"ALIBABA_CLOUD_SECURITY_TOKEN": ROLE_TOKEN}
    # One asks STS, the other WeChat.
    requests = {"anonymous": ("/upload-params", {"filename": "a.png"}), "wechat": ("/login", {"code": "c"})}
    asked = [[{**environ, "CALLER_AUTH": mode}, *each, {}] for mode, each in requests.items()]
    # No -I, which hides PYTHONHTTPSVERIFY; no -W error, for how the SDK asks for TLS is deprecated.
    environment["ASKED"] = json.dumps(asked)
    return json.loads(run_bare(python, PROGRAM, folder, environment, ("-s", "-S", "-B")))


@pytest.mark.parametrize(
    "value",
    [None, "", "{}", "/nowhere.pem"],
    ids=["nothing", "empty names", "the wrong authority", "no file"],
)
def test_a_wrong_certificate_is_sent_nothing_in_any_environment(
    package, python312, authority, ca_file, value
):
    """An empty ALIBABA_CLOUD_CA_BUNDLE switched the check off, and the token of the role was read."""
    names = ("ALIBABA_CLOUD_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    hostile = {}
    if value is not None:
        hostile = {"SSL_CERT_DIR": str(ca_file.parent), "PYTHONHTTPSVERIFY": "0"}
        hostile |= dict.fromkeys(names, value.format(ca_file))
    with heard_at(authority.issue_cert("localhost")) as (port, heard):
        assert run(python312, package[0], port, **hostile) == REFUSED
    assert heard == []


@pytest.fixture
def trusting(package, ca_file, tmp_path):
    """A copy that trusts the test's authority, the only way there is: by the folder that it brings."""
    folder = tmp_path / "function"
    shutil.copytree(package[0], folder)
    trust(folder, ca_file)
    return folder


def test_a_certificate_of_another_name_is_sent_nothing(trusting, python312, authority):
    with heard_at(authority.issue_cert("elsewhere.example")) as (port, heard):
        assert run(python312, trusting, port) == REFUSED
    assert heard == []


def test_a_good_certificate_is_accepted_and_proxies_are_ignored(trusting, python312, authority):
    """The same question, so that the refusals above have no other reason than the certificate."""
    good = authority.issue_cert("localhost")
    with heard_at(None) as (proxy_port, heard_by_proxy), heard_at(good) as (port, heard):
        names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
        proxies = dict.fromkeys(names, f"http://127.0.0.1:{proxy_port}")
        assert run(python312, trusting, port, **proxies) == ["ok", "ok"]
    assert heard_by_proxy == []
    assert [ROLE_TOKEN in path for path in heard] == [True, False]


CONTEXT = """
import json, sys
sys.path.insert(0, sys.argv[1])
from function.tls_trust import ca_bundle_path, verifying_context
print(json.dumps([ca_bundle_path(), verifying_context().cert_store_stats()]))
"""


def test_no_authority_is_read_before_a_connection_needs_it(package, python312):
    """Reading them all takes 20 times as long as all else about the context."""
    path, read = json.loads(run_bare(python312, CONTEXT, package[0], {}))
    assert path == str(package[0] / "certifi" / "authorities")
    assert read == {"x509": 0, "crl": 0, "x509_ca": 0}


def forms(package, python312, asked):
    """Ask for a form of each: settings, and headers."""
    wanted = [[environ, "/upload-params", {"filename": "a.png"}, headers] for environ, headers in asked]
    return json.loads(run_bare(python312, PROGRAM, package[0], {"ASKED": json.dumps(wanted)}))


def test_callers_of_a_business_are_known_by_each_kind_of_key(package, python312):
    asked = []
    with serving(lambda path: credentials()) as port:
        for algorithm, key in {"RS256": "rsa", "ES256": "p256", "EdDSA": "ed25519", "HS256": ""}.items():
            kept = told = "business-secret-0123456789-0123456789"
            if key:
                kept, told = ((KEYS / f"{key}{end}").read_text() for end in (".pem", ".pub.pem"))
            own = {"JWT_ALGORITHM": algorithm, "JWT_KEY": told, "JWT_AUDIENCE": "here"}
            environ = settings(f"http://127.0.0.1:{port}", CALLER_AUTH="jwt", **own)
            for minutes in (5, -5):
                ends = datetime.now(UTC) + timedelta(minutes=minutes)
                token = jwt.encode({"sub": "user-42", "aud": "here", "exp": ends}, kept, algorithm)
                asked.append([environ, {"authorization": f"Bearer {token}"}])
        assert forms(package, python312, asked) == ["ok", "unauthorized"] * 4


JSON = {"Content-Type": "application/json"}
REFUSAL = json.dumps({"Code": "NoPermission", "RequestId": "R-1", "Message": "拒绝"}, ensure_ascii=False)
STS_SAYS = [
    ((403, JSON, REFUSAL.encode()), "sts_rejected"),
    # A text whose encoding somebody would have to guess.
    ((403, {"Content-Type": "text/html"}, REFUSAL.encode("gb18030")), "sts_rejected"),
    ((503, JSON, b'{"Code": "ServiceUnavailable"}'), "sts_unavailable"),
    ((200, {"Content-Encoding": "gzip"}, compress(credentials()[2], mtime=0)), "ok"),
    ((200, {"Content-Encoding": "gzip"}, b"no gzip"), "sts_unavailable"),
    ((200, {"Content-Length": "999"}, b"{}"), "sts_unavailable"),
    ((302, {"Location": "https://elsewhere.example/"}, b""), "sts_unavailable"),
    ((200, JSON, b"x" * 100_000), "sts_unavailable"),
]


def test_each_sts_response_gets_its_error_code(package, python312):
    with ExitStack() as stack:
        ports = [stack.enter_context(serving(lambda path, says=says: says)) for says, _ in STS_SAYS]
        asked = [[settings(f"http://127.0.0.1:{port}"), {}] for port in ports]
        assert forms(package, python312, asked) == [code for _, code in STS_SAYS]
