"""The package as it is deployed, asked what needs its dependencies: keys, signatures, ciphers, STS."""

import json
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from gzip import compress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import MD5
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tests.ops.package.services import BARE, credentials, serving, settings
from tests.support.wechat import Wechat

KEYS = Path(__file__).parents[2] / "keys"
NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
WECHAT = Wechat("PushToken", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx0123456789abcdef")
PROFILES = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/png"]
"""
FILE = '{"filename": "a.png"}'
WITH_CALLBACK = f"{PROFILES}callback = true\n"
WITH_CHECK = f'{PROFILES}confirm = true\nhold = ["check"]\n'
# One line comes for every request: settings and event; each answer goes back as one line.
PROGRAM = """
import json, sys
from datetime import datetime
sys.path.insert(0, sys.argv[1])
from function.app import Function
from function.context import Dependencies
from handler import serve

now, functions = datetime.fromisoformat(sys.argv[2]), {}
for line in sys.stdin:
    environ, event = json.loads(line)
    key = json.dumps(environ, sort_keys=True)
    if key not in functions:
        functions[key] = Function(Dependencies(environ, now=lambda: now, sleep=lambda seconds: None))
    function = functions[key]
    print(json.dumps(serve(function, json.dumps(event).encode(), None)), flush=True)
"""
Ask = Callable[..., tuple[int, Any]]


class Around:
    """STS, and the host of OSS's public keys; what STS says is up to the test."""

    says = credentials()
    origin = ""

    def respond(self, path):
        return (200, {}, (KEYS / "rsa.pub.pem").read_bytes()) if path.endswith(".pem") else self.says


@pytest.fixture(scope="module")
def server():
    found = Around()
    with serving(found.respond) as port:
        found.origin = f"http://127.0.0.1:{port}"
        yield found


@pytest.fixture
def around(server):
    server.says = Around.says
    return server


@pytest.fixture(scope="module")
def bare_function(package, python312):
    """The packaged function in one bare interpreter: a line to it, a line from it."""
    command = [python312, *BARE, "-c", PROGRAM, str(package[0]), NOW.isoformat()]
    with subprocess.Popen(
        command, env={}, cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        with closing(process.stdin):
            yield process.stdin, process.stdout
    assert process.returncode == 0


@pytest.fixture
def ask(bare_function, around, tmp_path):
    """Ask a function of the test's own: ``ask("/path", body, profiles=…, SETTING=…)``."""
    to_it, from_it = bare_function

    def request(
        path, body='{"filename": "a.png"}', *, profiles=PROFILES, headers=None, query=None, **changed
    ):
        (tmp_path / "profiles.toml").write_text(profiles, "utf-8")
        own = {"CALLBACK_KEY_ORIGIN": around.origin, "PROFILES_FILE": str(tmp_path / "profiles.toml")}
        environ = settings(around.origin, **own, **changed)
        event = {
            "body": body,
            "headers": headers or {},
            "queryParameters": query or {},
            "requestContext": {"http": {"method": "POST", "path": path, "sourceIp": "203.0.113.7"}},
        }
        to_it.write(f"{json.dumps([environ, event])}\n")
        to_it.flush()
        answer = json.loads(from_it.readline())
        text = b64decode(answer["body"]).decode() if answer["isBase64Encoded"] else answer["body"]
        return answer["statusCode"], json.loads(text) if text.startswith("{") else text

    return request


@pytest.mark.parametrize(
    ("algorithm", "key"), [("RS256", "rsa"), ("ES256", "p256"), ("EdDSA", "ed25519"), ("HS256", "")]
)
def test_callers_of_a_business_are_known_by_each_kind_of_key(ask, algorithm, key):
    secret = "business-secret-0123456789-0123456789"
    kept, told = (
        ((KEYS / f"{key}{end}").read_text() for end in (".pem", ".pub.pem")) if key else (secret,) * 2
    )
    settings = {"CALLER_AUTH": "jwt", "JWT_ALGORITHM": algorithm, "JWT_KEY": told, "JWT_AUDIENCE": "here"}

    def asked(**changes):
        claims = {"sub": "user-42", "aud": "here", "exp": NOW + timedelta(minutes=5), **changes}
        token = jwt.encode(claims, kept, algorithm)
        return ask("/upload-params", headers={"authorization": f"Bearer {token}"}, **settings)

    assert asked()[0] == 200
    assert asked(exp=NOW - timedelta(minutes=5))[0] == 401
    assert asked(aud="elsewhere")[0] == 401


def test_only_a_callback_signed_by_oss_is_accepted(ask):
    asked = partial(ask, profiles=WITH_CALLBACK, CALLBACK_URL="https://upload.example.com/callback")
    status, form = asked("/upload-params")
    assert status == 200
    fields = form["formData"]
    wanted = json.loads(b64decode(fields["callback"]))
    facts = {"bucket": "photos", "object": fields["key"], "etag": "D41D8CD98F00B204E9800998ECF8427E"}
    facts |= {"size": "1024", "mimeType": "image/png", "imageInfo.width": "", "imageInfo.height": ""}
    body = wanted["callbackBody"]
    for name, value in facts.items():
        body = body.replace(f"${{{name}}}", quote(value, safe=""))
    signing_key: Any = load_pem_private_key((KEYS / "rsa.pem").read_bytes(), None)
    address = b"https://gosspublic.alicdn.com/callback_pub_key_v1.pem"
    for signed, status_then in ((body, 200), (f"{body}x", 403)):
        signature = signing_key.sign(f"/callback\n{signed}".encode(), PKCS1v15(), MD5())
        headers = {
            "authorization": b64encode(signature).decode(),
            "x-oss-pub-key-url": b64encode(address).decode(),
            "content-type": "application/x-www-form-urlencoded",
        }
        status, answer = asked("/callback", body, headers=headers)
        assert status == status_then, answer
    assert answer["error"]["code"] == "forbidden"


def test_a_wechat_push_is_decrypted_and_a_foreign_one_refused(ask):
    asked = partial(
        ask,
        "/wechat-events",
        profiles=WITH_CHECK,
        CALLER_AUTH="wechat",
        STS_SESSION_SECONDS="7200",
        WECHAT_APPID=WECHAT.appid,
        WECHAT_SECRET="secret",
        WECHAT_PUSH_TOKEN=WECHAT.token,
        WECHAT_PUSH_AES_KEY=WECHAT.aes_key,
    )
    query, body = WECHAT.push({"MsgType": "event", "Event": "user_enter_tempsession"})
    assert asked(body.decode(), query=query) == (200, "success")
    query, body = Wechat(WECHAT.token, WECHAT.aes_key, "wxOfAnotherApp").push({})
    assert asked(body.decode(), query=query)[0] == 403


JSON = {"Content-Type": "application/json"}
REFUSAL = json.dumps({"Code": "NoPermission", "RequestId": "R-1", "Message": "拒绝"}, ensure_ascii=False)


@pytest.mark.parametrize(
    ("says", "status", "code"),
    [
        ((403, JSON, REFUSAL.encode()), 502, "sts_rejected"),
        # A text whose encoding somebody would have to guess.
        ((403, {"Content-Type": "text/html"}, REFUSAL.encode("gb18030")), 502, "sts_rejected"),
        ((503, JSON, b'{"Code": "ServiceUnavailable"}'), 503, "sts_unavailable"),
        ((200, {"Content-Encoding": "gzip"}, compress(credentials()[2], mtime=0)), 200, ""),
        ((200, {"Content-Encoding": "gzip"}, b"no gzip"), 503, "sts_unavailable"),
        ((200, {"Content-Length": "999"}, b"{}"), 503, "sts_unavailable"),
        ((302, {"Location": "https://elsewhere.example/"}, b""), 503, "sts_unavailable"),
        ((200, JSON, b"x" * 100_000), 503, "sts_unavailable"),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value)[:60],
)
def test_each_sts_response_gets_its_error_code(ask, around, says, status, code):
    around.says = says
    answered, body = ask("/upload-params")
    assert (answered, body.get("error", {}).get("code", "")) == (status, code)
