"""The pretend business: accepts receipts that it can verify, calls the function as a real one would."""

import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import pytest
import requests
from standardwebhooks.webhooks import Webhook

from local.business.posts import POSTS_KEPT, Picture, Post, Posts
from local.business.server import BusinessServer
from local.business.service import DELIVERIES_KEPT, Business
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)

SECRET, OLDER, BUCKET = "s" * 32, "o" * 32, "local-bucket"
NOW = int(time.time())


def receipt(number=1, secret=SECRET, **changed):
    claims = {
        "aud": "oss-direct-upload/receipt",
        "iat": NOW,
        "exp": NOW + 3600,
        "sub": "oUser",
        "jti": f"upload-{number}",
        "key": f"posts/u/{number}.png",
        "bucket": BUCKET,
        "profile": "post",
        "held": True,
    }
    claims = {name: value for name, value in (claims | changed).items() if value is not None}
    return jwt.encode(claims, secret, algorithm="HS256")


class PretendFunction:
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self):
        self.asked, self.answers, self.state = [], [], "checking"
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer_to(self, body):
        if self.answers:
            return self.answers.pop(0)
        entry = {"key": "k", "state": self.state, "url": "https://o/k" if self.state == "published" else None}
        if "receipt" in body:
            return 200, entry
        return 200, {"results": [entry for _ in body["receipts"]]}

    def _handler(function):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                function.asked.append((self.path, body, self.headers["Authorization"]))
                status, value = function.answer_to(body)
                answer = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler


@pytest.fixture
def function():
    function = PretendFunction()
    yield function
    function.server.shutdown()
    function.server.server_close()


@pytest.fixture
def business(function, monkeypatch):
    monkeypatch.setattr("local.business.service.ASKED_EVERY_SECONDS", 0)
    return Business(function.origin, [SECRET, OLDER], BUCKET, "local-archive")


@pytest.fixture
def ask(business):
    """One HTTP exchange with the business: its answer."""
    server = BusinessServer(business).start()
    with requests.Session() as session:
        session.trust_env = False

        def ask(method, path, body=None, **headers):
            return session.request(method, server.origin + path, data=body, headers=headers, timeout=60)

        def post(path, **body):
            return ask("POST", path, json.dumps(body))

        def deliver(id="msg-1", secret=SECRET, ahead=0, **body):
            data, at = json.dumps(body), int(time.time()) + ahead
            signature = Webhook(secret.encode()).sign(id, datetime.fromtimestamp(at, UTC), data)
            sent = {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": signature}
            return ask("POST", "/webhook", data, **sent)

        ask.post, ask.deliver = post, deliver
        yield ask
    server.stop()


def shown(ask):
    """The pictures of each post: their states."""
    return [[each["state"] for each in post["pictures"]] for post in ask("GET", "/posts").json()["posts"]]


def test_a_post_has_its_pictures_committed_with_a_backend_token(ask, function):
    answer = ask.post("/posts", text="hello", receipts=[receipt(1), receipt(2, OLDER)])
    assert answer.status_code == 200 and answer.json()["id"]
    [(path, body, authorization)] = function.asked
    assert (path, len(body["receipts"])) == ("/commit", 2)
    token = authorization.removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="oss-direct-upload/backend")
    assert 0 < claims["exp"] - time.time() <= 300
    assert shown(ask) == [["checking", "checking"]]


def test_a_receipt_may_be_about_either_of_its_buckets(ask):
    receipts = [receipt(1), receipt(2, bucket="local-archive")]
    assert ask.post("/posts", text="hello", receipts=receipts).status_code == 200


def test_posts_are_listed_newest_first_without_receipts(ask):
    ask.post("/posts", text="first", receipts=[receipt(1)])
    ask.post("/posts", text="second", receipts=[receipt(2)])
    told = ask("GET", "/posts").json()["posts"]
    assert [post["text"] for post in told] == ["second", "first"]
    assert set(told[0]) == {"id", "text", "pictures"}
    assert told[0]["pictures"] == [{"key": "posts/u/2.png", "state": "checking", "url": None}]


FORGED = table_beside(__file__)["FORGED"]


UNSIGNED = jwt.encode(jwt.decode(receipt(), options={"verify_signature": False}), None, algorithm="none")


@pytest.mark.parametrize(
    "second",
    [*(receipt(2, **change) for change in FORGED.values()), UNSIGNED, receipt(2, sub="oOther")],
    ids=[*FORGED, "unsigned", "another user"],
)
def test_a_receipt_that_proves_nothing_is_refused(ask, function, second):
    assert ask.post("/posts", text="", receipts=[receipt(1), second]).status_code == 403
    assert function.asked == [] and shown(ask) == []


@cases("body")
def test_an_invalid_post_is_refused(ask, function, body):
    assert ask.post("/posts", **body).status_code == 400
    assert function.asked == []


@pytest.mark.parametrize("body", ["", "x", "[]", "[" * 5000, b"\xff"])
def test_a_body_that_is_not_a_json_object_is_refused(ask, body):
    assert ask("POST", "/posts", body).status_code == 400


@pytest.mark.parametrize("decision", [None, "maybe", 1, ["publish"]])
def test_another_decision_is_refused(ask, function, decision):
    assert ask.post("/decisions", receipt=receipt(), decision=decision).status_code == 400
    assert function.asked == []


def test_a_post_that_is_sent_again_is_the_same_post(ask, function):
    first, again = (ask.post("/posts", text="a", receipts=[receipt(1), receipt(2)]) for _ in range(2))
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert shown(ask) == [["checking", "checking"]]
    assert [path for path, _, _ in function.asked].count("/commit") == 1
    other = ask.post("/posts", text="b", receipts=[receipt(1), receipt(2)])
    assert (other.status_code, len(shown(ask))) == (409, 1)


def test_a_picture_is_in_one_post_once(ask):
    assert ask.post("/posts", text="", receipts=[receipt(1), receipt(1)]).status_code == 409
    assert ask.post("/posts", text="", receipts=[receipt(1)]).status_code == 200
    assert ask.post("/posts", text="", receipts=[receipt(2), receipt(1)]).status_code == 409
    assert len(shown(ask)) == 1


@pytest.mark.parametrize("answer", [(503, {"error": {"code": "oss_unavailable"}}), (200, {"results": []})])
def test_a_failed_commit_is_repeated_later(ask, function, answer):
    function.answers = [answer]
    assert ask.post("/posts", text="", receipts=[receipt()]).json()["pictures"][0]["state"] == "held"
    assert shown(ask) == [["checking"]]
    assert [path for path, *_ in function.asked] == ["/commit", "/commit", "/status"]


def test_a_commit_of_a_missing_upload_shows_gone(ask, function):
    function.answers = [(200, {"results": [{"error": {"code": "not_uploaded", "message": "…"}}]})]
    assert ask.post("/posts", text="", receipts=[receipt()]).json()["pictures"][0]["state"] == "gone"


def test_the_webhook_updates_the_state_of_a_picture(ask, function):
    ask.post("/posts", text="", receipts=[receipt(1), receipt(2)])
    assert ask.deliver(event="rejected", receipt=receipt(2), label=20006).status_code == 200
    assert shown(ask) == [["checking", "rejected"]]
    assert ask("GET", "/posts").json()["posts"][0]["pictures"][1]["label"] == 20006


def test_a_lost_webhook_is_made_up_by_a_status_request(ask, function):
    ask.post("/posts", text="", receipts=[receipt()])
    function.state = "published"
    told = ask("GET", "/posts").json()["posts"][0]["pictures"][0]
    assert told == {"key": "posts/u/1.png", "state": "published", "url": "https://o/k"}
    asked = len(function.asked)
    assert (shown(ask), len(function.asked)) == ([["published"]], asked)


def test_an_answer_that_a_webhook_has_overtaken_takes_nothing_back(ask, function, business):
    ask.post("/posts", text="", receipts=[receipt()])
    ask.deliver(event="published", receipt=receipt())
    function.state = "checking"
    assert shown(ask) == [["published"]]


def test_a_risky_verdict_after_the_fact_is_noted_and_takes_nothing_back(ask, function):
    function.state = "published"
    ask.post("/posts", text="", receipts=[receipt()])
    ask.deliver(event="review", receipt=receipt(), label=20006)
    picture = ask("GET", "/posts").json()["posts"][0]["pictures"][0]
    assert (picture["state"], picture["label"], picture["url"]) == ("published", 20006, "https://o/k")


@pytest.mark.parametrize("changes", [{"secret": "x" * 32}, {"ahead": -400}, {"ahead": 400}], ids=str)
def test_a_delivery_that_is_forged_or_old_is_refused(ask, changes):
    ask.post("/posts", text="", receipts=[receipt()])
    assert ask.deliver(event="published", receipt=receipt(), **changes).status_code == 401
    assert ask.post("/webhook", event="published", receipt=receipt()).status_code == 401
    assert (shown(ask), ask("GET", "/deliveries").json()) == ([["checking"]], {"deliveries": []})


def test_a_delivery_by_an_older_secret_counts_once_and_shows_how_often_it_came(ask, business):
    ask.post("/posts", text="", receipts=[receipt()])
    for event in ("published", "gone"):
        body = {"event": event, "receipt": receipt()}
        assert ask.deliver(**body, id="uploaded-1", secret=OLDER).status_code == 200
    assert shown(ask) == [["published"]]
    assert ask.deliver(event="gone", receipt=receipt(), id="gone-1").status_code == 200
    assert shown(ask) == [["gone"]]
    latest, first = ask("GET", "/deliveries").json()["deliveries"]
    assert (latest["event"], latest["times"]) == ("gone", 1)
    assert (first["id"], first["event"], first["times"]) == ("uploaded-1", "published", 2)
    for number in range(DELIVERIES_KEPT):
        ask.deliver(event="gone", receipt=receipt(), id=f"more-{number}")
    assert len(business.deliveries()) == DELIVERIES_KEPT


def test_a_revocation_is_shown_and_changes_no_picture(ask):
    assert ask.deliver(event="revoked", sub="o1", name="user_authorization_revoke").status_code == 200
    assert [each["event"] for each in ask("GET", "/deliveries").json()["deliveries"]] == ["revoked"]


def test_a_webhook_with_a_forged_receipt_is_refused(ask):
    ask.post("/posts", text="", receipts=[receipt()])
    assert ask.deliver(event="published", receipt=receipt(secret="x" * 32)).status_code == 403
    assert ask.deliver(event="published").status_code == 400
    assert shown(ask) == [["checking"]]


@pytest.mark.parametrize("event", ["uploaded", "burnt", None, 7])
def test_other_events_of_the_webhook_change_nothing(ask, event):
    ask.post("/posts", text="", receipts=[receipt()])
    assert ask.deliver(event=event, receipt=receipt(), label="x").status_code == 200
    assert shown(ask) == [["checking"]]
    assert ask.deliver(event="published", receipt=receipt(9)).status_code == 200


@cases("path", "more", "route", "sent")
def test_a_moderator_s_decision_is_passed_to_the_function_and_back(ask, function, path, more, route, sent):
    ask.post("/posts", text="", receipts=[receipt()])
    function.answers = [(200, {"key": "k", "state": "rejected", "url": None})]
    answer = ask.post(path, receipt=receipt(), **more)
    assert answer.json() == {"key": "k", "state": "rejected", "url": None}
    assert function.asked[-1][:2] == (route, {"receipt": receipt(), **sent})
    assert shown(ask) == [["rejected"]]


def test_a_function_error_is_passed_on_and_its_silence_is_502(ask, function, business):
    error = {"error": {"code": "already_exists", "message": "…", "requestId": "r"}}
    function.answers = [(409, error)]
    answer = ask.post("/commits", receipt=receipt())
    assert (answer.status_code, answer.json()) == (409, error)
    business._function = "http://127.0.0.1:1"
    assert ask.post("/discards", receipt=receipt()).status_code == 502


def test_other_paths_and_methods_are_errors(ask):
    answer = ask("GET", "/webhook")
    assert (answer.status_code, "POST /webhook" in answer.json()["error"]) == (404, True)
    assert ask.post("/x").status_code == 404


def test_pages_of_this_machine_may_ask_and_no_others(ask):
    own = {"Origin": "http://localhost:5173"}
    assert ask("OPTIONS", "/posts", **own).headers["Access-Control-Allow-Origin"] == own["Origin"]
    assert ask("GET", "/posts", **own).headers["Access-Control-Allow-Origin"] == own["Origin"]
    assert ask("GET", "/posts", Origin="https://evil.example").status_code == 403
    assert ask("OPTIONS", "/posts", Origin="https://evil.example").status_code == 403
    assert "Access-Control-Allow-Origin" not in ask("GET", "/posts").headers


def test_status_is_requested_at_most_every_two_seconds(ask, function, monkeypatch):
    monkeypatch.setattr("local.business.service.ASKED_EVERY_SECONDS", 2)
    ask.post("/posts", text="", receipts=[receipt()])
    for _ in range(5):
        shown(ask)
    assert [path for path, *_ in function.asked] == ["/commit", "/status"]


def test_the_oldest_posts_are_dropped():
    posts = Posts()
    for number in range(POSTS_KEPT + 1):
        posts.add(Post("", [Picture("r", f"upload-{number}", "k")]))
    assert len(posts.told()) == len(posts.unsettled()) == POSTS_KEPT
    posts.add(Post("", [Picture("r", "upload-0", "k")]))
