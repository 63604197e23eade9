import base64
import io
import json
from types import SimpleNamespace

import pytest

from local.fc.gateway import FcGateway
from local.oss.rules import OssRules
from ops.run.demo import play as play_demo
from ops.run.demo import upload_one_file
from ops.run.demo_answers import DemoFailed
from ops.terminal.screen import Screen
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

POLICY = base64.b64encode(
    json.dumps({"expiration": "2030-01-01T00:00:00Z", "conditions": [{"key": "a/b.png"}]}).encode()
).decode()


def receipt_of(size, seen=True):
    said = json.dumps({"size": size, "sub": "openid", "seen": seen}).encode()
    claims = base64.urlsafe_b64encode(said).decode()
    return f"header.{claims.rstrip('=')}.signature"


class Backend:
    """Function and OSS in one: answers by route, from a table that a test may change."""

    def __init__(self):
        self.stored = None
        self.token = None
        self.replies = {}
        self.without_a_signature = 403
        self.with_another_signature = 403

    def __call__(self, event, context):
        event = json.loads(event)
        http = event["requestContext"]["http"]
        route = f"{http['method']} {http['path']}"
        default = getattr(self, {
            "POST /login": "login", "POST /upload-params": "sign", "POST /": "upload",
            "POST /confirm": "confirm", "POST /read": "read", "GET /a/b.png": "get",
        }[route])(event)  # fmt: skip
        return self.replies.get(self.name_of(route, event["queryParameters"]), default)

    def name_of(self, route, query):
        if route == "POST /":
            return "cheat" if self.is_cheating else route
        if route == "GET /a/b.png":
            return {"thumb": "thumb", None: "picture" if query else "unsigned"}[query.get("x-oss-process")]
        return route

    def login(self, event):
        return reply(200, {"token": "session-token", "expiresIn": 7200})

    def sign(self, event):
        self.token = event["headers"].get("Authorization")
        origin = "http://" + event["headers"]["Host"]
        fields = {"key": "a/b.png", "policy": POLICY, "x-oss-security-token": "secret-token" * 20}
        form = {"url": origin, "key": "a/b.png", "fileUrl": f"{origin}/a/b.png", "formData": fields}
        return reply(200, form | {"ticket": "secret-ticket" * 20})

    def upload(self, event):
        body = base64.b64decode(event["body"])
        self.is_cheating = b"someone-else" in body
        names = [part.partition(b'"')[0].decode() for part in body.split(b' name="')[1:]]
        if self.is_cheating:
            return {"statusCode": 403, "headers": {"Content-Type": "application/xml"}, "body": "<Error/>"}
        self.names = names
        start, boundary = body.index(b"\x89PNG"), body[: body.index(b"\r\n")]
        self.stored = body[start : body.index(b"\r\n" + boundary, start)]
        return reply(200, {"status": "ok", "receipt": receipt_of(len(self.stored), seen=False)})

    def confirm(self, event):
        self.ticket = json.loads(event["body"])["ticket"]
        return reply(200, {"receipt": receipt_of(len(self.stored)), "state": "stored"})

    def read(self, event):
        wanted = json.loads(event["body"])
        self.reader = event["headers"].get("Authorization")
        process = f"x-oss-process={wanted['variant']}&" if "variant" in wanted else ""
        return reply(
            200, {"url": f"http://{event['headers']['Host']}/{wanted['key']}?{process}x-oss-signature=aa"}
        )

    def get(self, event):
        query = event["queryParameters"]
        if query.get("x-oss-signature") != "aa":
            status = self.with_another_signature if query else self.without_a_signature
            return {"statusCode": status, "body": "<Error/>"}
        is_small = "x-oss-process" in query
        body = base64.b64encode(b"\xff\xd8small" if is_small else self.stored).decode()
        headers = {"Content-Type": "image/jpeg" if is_small else "image/png"}
        return {"statusCode": 200, "isBase64Encoded": True, "headers": headers, "body": body}


def reply(status, body):
    return {"statusCode": status, "body": json.dumps(body)}


@pytest.fixture
def backend():
    return Backend()


@pytest.fixture
def demo(backend):
    gateway = FcGateway(backend).start()

    def play(caller_auth="wechat"):
        cloud = SimpleNamespace(
            gateway=gateway,
            oss=SimpleNamespace(outer_origin=gateway.origin, bucket=SimpleNamespace(rules=play.rules)),
            caller_auth=caller_auth,
            business_token=lambda subject: "business-token",
        )
        stream = io.StringIO()
        try:
            play_demo(cloud, Screen(stream, {}), acts=(upload_one_file,))
        finally:
            play.text = stream.getvalue()
        return play.text

    play.rules = OssRules()
    yield play
    gateway.stop()


def test_the_first_seven_steps_are_played_and_no_secret_is_printed(demo, backend):
    text = demo()
    assert [line[:4] for line in text.splitlines() if line[1:4] == "/10"] == [f"{n}/10" for n in range(1, 8)]
    assert backend.token == backend.reader == "Bearer session-token"
    assert backend.ticket == "secret-ticket" * 20
    assert "Done in" in text
    assert "sub   openid" in text
    assert "seen  true" in text
    assert "image/jpeg, 7 bytes" in text
    for secret in ("session-token", "secret-tokensecret-token", "secret-ticketsecret-ticket", "signature=aa"):
        assert secret not in text


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("without_a_signature", "private object, unsigned, with 200"),
        ("with_another_signature", "one character of its URL changed"),
    ],
)
def test_an_exposed_private_object_ends_the_demo_unless_allowed(demo, backend, who, sentence):
    setattr(backend, who, 200)
    with pytest.raises(DemoFailed, match=sentence):
        demo()
    demo.rules = OssRules(private_reads_need_signature=False)
    assert "Done in" in demo()


def test_the_file_is_the_last_part_of_the_form(demo, backend):
    demo()
    assert backend.names == ["key", "policy", "x-oss-security-token", "file"]


@pytest.mark.parametrize(("caller_auth", "token"), [("anonymous", None), ("jwt", "Bearer business-token")])
def test_the_demo_sends_the_token_of_each_caller_mode(demo, backend, caller_auth, token):
    demo(caller_auth)
    assert backend.token == token


def test_a_receipt_needs_no_callback(demo, backend):
    backend.replies["POST /"] = {"statusCode": 200, "body": ""}
    assert "receipt" in demo()


@cases("route", "answer", "sentence")
def test_a_step_that_goes_wrong_ends_the_demo_with_a_sentence(demo, backend, route, answer, sentence):
    backend.is_cheating = False
    backend.replies[route] = answer
    with pytest.raises(DemoFailed, match=sentence):
        demo()
    assert "Done in" not in demo.text


@pytest.mark.parametrize(
    ("route", "told", "sentence"),
    [
        ("POST /upload-params", {"formData": {"policy": POLICY}}, "no 'url'"),
        ("POST /confirm", {"receipt": receipt_of(1)}, "1 bytes"),
        ("POST /confirm", {"receipt": receipt_of(1592, seen=False)}, "OSS was asked"),
    ],
)
def test_a_mismatched_response_ends_the_demo(demo, backend, route, told, sentence):
    backend.replies[route] = reply(200, told)
    with pytest.raises(DemoFailed, match=sentence):
        demo()


def test_a_function_that_does_not_answer_ends_the_demo_with_a_sentence(demo):
    gateway = FcGateway(lambda event, context: None)
    gateway.stop()
    cloud = SimpleNamespace(gateway=gateway, oss=gateway, caller_auth="wechat")
    with pytest.raises(DemoFailed):
        play_demo(cloud, Screen(io.StringIO(), {}), acts=(upload_one_file,))
