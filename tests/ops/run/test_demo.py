import base64
import io
import json
from types import SimpleNamespace

import pytest

from local.fc.gateway import FcGateway
from local.oss.rules import OssRules
from ops.run.demo import upload_one_file
from ops.run.demo_steps import DemoFailed
from ops.terminal.screen import Screen

POLICY = base64.b64encode(
    json.dumps({"expiration": "2030-01-01T00:00:00Z", "conditions": [{"key": "a/b.png"}]}).encode()
).decode()


def receipt_of(size):
    claims = base64.urlsafe_b64encode(json.dumps({"size": size, "sub": "openid"}).encode()).decode()
    return f"header.{claims.rstrip('=')}.signature"


class Backend:
    """Function and OSS in one: answers by route, from a table that a test may change."""

    def __init__(self):
        self.stored = None
        self.token = None
        self.replies = {}
        self.without_a_signature = 403

    def __call__(self, event, context):
        event = json.loads(event)
        http = event["requestContext"]["http"]
        route = f"{http['method']} {http['path']}"
        if route == "GET /a/b.png" and event["queryParameters"] != {"signed": "yes"}:
            return {"statusCode": self.without_a_signature, "body": "<Error/>"}
        default = getattr(self, {
            "POST /login": "login", "POST /upload-params": "sign", "POST /": "upload", "GET /a/b.png": "read",
        }[route])(event)  # fmt: skip
        return self.replies.get(self.name_of(route), default)

    def name_of(self, route):
        return "cheat" if route == "POST /" and self.is_cheating else route

    def login(self, event):
        return reply(200, {"token": "session-token", "expiresIn": 7200})

    def sign(self, event):
        self.token = event["headers"].get("Authorization")
        origin = "http://" + event["headers"]["Host"]
        fields = {"key": "a/b.png", "policy": POLICY, "x-oss-security-token": "secret-token" * 20}
        return reply(
            200, {"url": origin, "key": "a/b.png", "fileUrl": f"{origin}/a/b.png", "formData": fields}
        )

    def upload(self, event):
        body = base64.b64decode(event["body"])
        self.is_cheating = b"someone-else" in body
        names = [part.partition(b'"')[0].decode() for part in body.split(b' name="')[1:]]
        if self.is_cheating:
            return {"statusCode": 403, "headers": {"Content-Type": "application/xml"}, "body": "<Error/>"}
        self.names = names
        start, boundary = body.index(b"\x89PNG"), body[: body.index(b"\r\n")]
        self.stored = body[start : body.index(b"\r\n" + boundary, start)]
        return reply(200, {"status": "ok", "receipt": receipt_of(len(self.stored))})

    def read(self, event):
        body = base64.b64encode(self.stored).decode()
        headers = {"Content-Type": "image/png"}
        return {"statusCode": 200, "isBase64Encoded": True, "headers": headers, "body": body}


def reply(status, body):
    return {"statusCode": status, "body": json.dumps(body)}


REFUSED = reply(401, {"error": {"code": "unauthorized", "message": "no"}})


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
            signed_url=lambda key: f"{gateway.origin}/{key}?signed=yes",
            caller_auth=caller_auth,
            business_token=lambda subject: "business-token",
        )
        stream = io.StringIO()
        try:
            upload_one_file(cloud, Screen(stream, {}))
        finally:
            play.text = stream.getvalue()
        return play.text

    play.rules = OssRules()
    yield play
    gateway.stop()


def test_all_six_steps_are_played_and_no_secret_is_printed(demo, backend):
    text = demo()
    assert [line[:3] for line in text.splitlines() if line[1:3] == "/6"] == [f"{n}/6" for n in range(1, 7)]
    assert backend.token == "Bearer session-token"
    assert "Done in" in text
    assert "sub   openid" in text
    assert "session-token" not in text
    assert "secret-tokensecret-token" not in text


def test_a_private_object_that_anybody_may_read_ends_the_demo_unless_that_was_asked_for(demo, backend):
    backend.without_a_signature = 200
    with pytest.raises(DemoFailed, match="to anybody"):
        demo()
    demo.rules = OssRules(private_reads_need_signature=False)
    assert "Done in" in demo()


def test_the_file_is_the_last_part_of_the_form(demo, backend):
    demo()
    assert backend.names == ["key", "policy", "x-oss-security-token", "file"]


@pytest.mark.parametrize(("caller_auth", "token"), [("anonymous", None), ("jwt", "Bearer business-token")])
def test_who_does_not_log_in_through_wechat_shows_what_is_wanted(demo, backend, caller_auth, token):
    demo(caller_auth)
    assert backend.token == token


def test_without_a_callback_there_is_no_receipt_and_that_is_said(demo, backend):
    backend.replies["POST /"] = {"statusCode": 200, "body": ""}
    assert "without a receipt" in demo()


@pytest.mark.parametrize(
    ("route", "answer", "sentence"),
    [
        ("POST /login", REFUSED, "answered 401, unauthorized: no"),
        ("POST /login", reply(200, {"expiresIn": 1}), "no 'token'"),
        ("POST /login", {"statusCode": 200, "body": "<html>"}, "no JSON object"),
        ("POST /login", {"statusCode": 502, "body": "Internal Server Error"}, "answered 502, Internal"),
        ("POST /upload-params", REFUSED, "unauthorized"),
        ("POST /upload-params", reply(200, {"url": "x"}), "no 'formData'"),
        ("POST /upload-params", reply(200, {"formData": {"key": "k"}}), "no 'policy'"),
        ("POST /upload-params", reply(200, {"formData": {"policy": "%%%"}}), "not base64"),
        ("POST /upload-params", reply(200, {"formData": {"policy": POLICY}}), "no 'url'"),
        ("POST /", {"statusCode": 403, "body": "<Code>AccessDenied</Code>"}, "refused .*AccessDenied"),
        ("POST /", {"statusCode": 203, "body": "<Code>CallbackFailed</Code>"}, "callback failed"),
        ("POST /", {"statusCode": 204}, "refused"),
        ("POST /", reply(200, {"receipt": receipt_of(1)}), "The receipt says 1 bytes"),
        ("POST /", reply(200, {"receipt": "nonsense"}), "no JWT"),
        ("GET /a/b.png", {"statusCode": 200, "body": "other"}, "not what was sent"),
        ("GET /a/b.png", {"statusCode": 404, "body": ""}, "not what was sent: 404"),
        ("cheat", {"statusCode": 200, "body": ""}, "took a form for another key"),
    ],
)
def test_a_step_that_goes_wrong_ends_the_demo_with_a_sentence(demo, backend, route, answer, sentence):
    backend.is_cheating = False
    backend.replies[route] = answer
    with pytest.raises(DemoFailed, match=sentence):
        demo()
    assert "Done in" not in demo.text


def test_a_function_that_does_not_answer_ends_the_demo_with_a_sentence(demo):
    gateway = FcGateway(lambda event, context: None)
    gateway.stop()
    cloud = SimpleNamespace(gateway=gateway, oss=gateway, caller_auth="wechat")
    with pytest.raises(DemoFailed, match="was not answered"):
        upload_one_file(cloud, Screen(io.StringIO(), {}))
