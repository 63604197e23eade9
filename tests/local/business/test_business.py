"""The pretend business: accepts receipts that it can verify, calls the function as a real one would."""

import json
import time
from datetime import UTC, datetime

import jwt
import pytest
import requests
from standardwebhooks.webhooks import Webhook

from local.business.posts import POSTS_KEPT, Picture, Post, Posts
from local.business.server import BusinessServer
from local.business.service import DELIVERIES_KEPT, Business
from tests.local.site import Site
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

SECRET, OLDER = "s" * 32, "o" * 32
NOW = int(time.time())


def receipt(number=1, secret=SECRET, **changed):
    claims = {
        "aud": "oss-direct-upload/receipt",
        "iat": NOW,
        "exp": NOW + 3600,
        "sub": "oUser",
        "profile": "post",
    }
    about = {
        "jti": f"upload-{number}",
        "key": f"posts/u/{number}.png",
        "bucket": "local-bucket",
        "held": True,
    }
    claims = {name: value for name, value in (claims | about | changed).items() if value is not None}
    return jwt.encode(claims, secret, algorithm="HS256" if secret else "none")


class PretendFunction(Site):
    """Answers as it is told, and keeps what it was asked."""

    def __init__(self):
        super().__init__()
        self.answers, self.state, self.posted = [], "checking", self.answer_to

    def answer_to(self, _path, body):
        entry = {"key": "k", "state": self.state, "url": "https://o/k" if self.state == "published" else None}
        receipts = json.loads(body).get("receipts")
        told = {"results": [entry] * len(receipts)} if receipts else entry
        status, value = self.answers.pop(0) if self.answers else (200, told)
        return status, json.dumps(value).encode()

    @property
    def asked(self):
        return [(path, json.loads(body)) for path, body in self.of("POST")]


@pytest.fixture
def function(started):
    return started(PretendFunction())


@pytest.fixture
def business(function, monkeypatch):
    monkeypatch.setattr("local.business.service.ASKED_EVERY_SECONDS", 0)
    return Business(function.origin, lambda: [SECRET, OLDER], "local-bucket", "local-archive")


@pytest.fixture
def ask(business, started):
    """One HTTP exchange with the business: its answer."""
    server = started(BusinessServer(business))
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


@pytest.fixture
def posted(ask):
    """A post of one picture."""
    return ask.post("/posts", text="", receipts=[receipt()]).json()


def pictures(ask):
    """Of the latest post."""
    return ask("GET", "/posts").json()["posts"][0]["pictures"]


def shown(ask):
    """The pictures of each post: their states."""
    return [[each["state"] for each in post["pictures"]] for post in ask("GET", "/posts").json()["posts"]]


def test_a_post_of_either_bucket_has_its_pictures_committed_with_a_backend_token(ask, function):
    receipts = [receipt(1), receipt(2, OLDER, bucket="local-archive")]
    answer = ask.post("/posts", text="hello", receipts=receipts)
    assert answer.status_code == 200 and answer.json()["id"]
    assert function.asked == [("/commit", {"receipts": receipts})]
    token = function.requests[0][2]["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], audience="oss-direct-upload/backend")
    assert 0 < claims["exp"] - time.time() <= 300
    ask.post("/posts", text="second", receipts=[receipt(3)])
    # The newest first, without receipts.
    second, first = ask("GET", "/posts").json()["posts"]
    assert (second["text"], set(second)) == ("second", {"id", "text", "pictures"})
    assert second["pictures"] == [{"key": "posts/u/3.png", "state": "checking", "url": None}]
    assert [each["state"] for each in first["pictures"]] == ["checking", "checking"]


@cases("change")
def test_a_receipt_that_proves_nothing_is_refused(ask, function, change):
    answer = ask.post("/posts", text="", receipts=[receipt(1), receipt(2, **change)])
    assert (answer.status_code, function.asked, shown(ask)) == (403, [], [])


@cases("path", "body")
def test_an_invalid_body_is_refused(ask, function, path, body):
    body = body * 5000 if body == b"[[[[" else body
    assert ask("POST", path, body if isinstance(body, bytes) else json.dumps(body)).status_code == 400
    assert function.asked == []


def test_a_post_that_is_sent_again_is_the_same_post_and_its_pictures_are_in_no_other(ask, function):
    def post(text, *numbers):
        return ask.post("/posts", text=text, receipts=[receipt(number) for number in numbers])

    first, again = post("a", 1, 2), post("a", 1, 2)
    assert (first.status_code, first.json()) == (again.status_code, again.json()) and again.ok
    assert [post(*of).status_code for of in (("b", 1, 2), ("", 3, 3), ("", 3, 1))] == [409] * 3
    assert shown(ask) == [["checking", "checking"]]
    assert [path for path, _ in function.asked].count("/commit") == 1


def test_a_webhook_or_else_a_status_request_updates_a_picture_and_a_later_word_takes_nothing_back(
    ask, function
):
    ask.post("/posts", text="", receipts=[receipt(1), receipt(2)])
    assert ask.deliver(event="rejected", receipt=receipt(2), label=20006).status_code == 200
    told = [(each["state"], each.get("label")) for each in pictures(ask)]
    assert told == [("checking", None), ("rejected", 20006)]
    function.state = "published"
    assert pictures(ask)[0] == {"key": "posts/u/1.png", "state": "published", "url": "https://o/k"}
    asked = len(function.asked)
    ask.deliver(event="review", receipt=receipt(1), label=20006, id="later")
    assert pictures(ask)[0].items() >= {"state": "published", "label": 20006, "url": "https://o/k"}.items()
    assert (shown(ask), len(function.asked)) == ([["published", "rejected"]], asked)


@cases("sent", "status")
def test_a_delivery_that_is_forged_old_or_of_something_else_changes_nothing(ask, posted, sent, status):
    sent = {"event": "published", "receipt": 1, **sent}
    number, secret = sent.pop("receipt"), sent.pop("receipt_secret", SECRET)
    sent |= {"receipt": receipt(number, secret)} if number else {}
    assert ask.deliver(**sent).status_code == status
    assert ask.post("/webhook", event="published", receipt=receipt()).status_code == 401
    assert shown(ask) == [["checking"]]
    assert bool(ask("GET", "/deliveries").json()["deliveries"]) is (status == 200)


def test_a_delivery_by_an_older_secret_counts_once_and_shows_how_often_it_came(
    ask, business, posted, monkeypatch
):
    for event in ("published", "gone"):
        answer = ask.deliver(event=event, receipt=receipt(), id="uploaded-1", secret=OLDER)
        assert answer.status_code == 200
    assert shown(ask) == [["published"]]
    assert ask.deliver(event="gone", receipt=receipt(), id="gone-1").status_code == 200
    assert shown(ask) == [["gone"]]
    assert ask.deliver(event="revoked", sub="o1", id="revoked-1").status_code == 200
    told = ask("GET", "/deliveries").json()["deliveries"]
    assert [(each["id"], each["event"], each["times"]) for each in told] == [
        ("revoked-1", "revoked", 1),
        ("gone-1", "gone", 1),
        ("uploaded-1", "published", 2),
    ]
    monkeypatch.setattr("local.business.service.DELIVERIES_KEPT", 3)
    ask.deliver(event="gone", receipt=receipt(), id="more")
    assert DELIVERIES_KEPT > len(business.deliveries()) == 3


@cases("path", "more", "route", "sent")
def test_a_moderator_s_decision_is_passed_to_the_function_and_back(
    ask, function, posted, path, more, route, sent
):
    told = {"key": "k", "state": "rejected", "url": None}
    function.answers = [(200, told)]
    assert ask.post(path, receipt=receipt(), **more).json() == told
    assert function.asked[-1] == (route, {"receipt": receipt(), **sent})
    assert shown(ask) == [["rejected"]]


def test_a_function_error_is_passed_on_and_its_silence_is_502(ask, function, business):
    error = {"error": {"code": "already_exists", "message": "…", "requestId": "r"}}
    function.answers = [(409, error)]
    answer = ask.post("/commits", receipt=receipt())
    assert (answer.status_code, answer.json()) == (409, error)
    business._function = "http://127.0.0.1:1"
    assert ask.post("/discards", receipt=receipt()).status_code == 502


def test_pages_of_this_machine_may_ask_and_no_others_nor_by_other_paths(ask):
    own, allowed = "http://localhost:5173", "Access-Control-Allow-Origin"
    for method in ("OPTIONS", "GET"):
        assert ask(method, "/posts", Origin=own).headers[allowed] == own
        assert ask(method, "/posts", Origin="https://evil.example").status_code == 403
    assert "authorization" in ask("OPTIONS", "/posts", Origin=own).headers["Access-Control-Allow-Headers"]
    assert allowed not in ask("GET", "/posts").headers
    assert (ask("GET", "/webhook").status_code, ask.post("/x").status_code) == (404, 404)


def test_status_is_requested_at_most_every_two_seconds_and_the_oldest_posts_are_dropped(
    ask, function, posted, monkeypatch
):
    monkeypatch.setattr("local.business.service.ASKED_EVERY_SECONDS", 2)
    for _ in range(5):
        shown(ask)
    assert [path for path, _ in function.asked] == ["/commit", "/status"]
    monkeypatch.setattr("local.business.posts.POSTS_KEPT", 3)
    posts = Posts()
    for number in (0, 1, 2, 3, 0):
        posts.add(Post("", [Picture("r", f"upload-{number}", "k")]))
    assert POSTS_KEPT > len(posts.told()) == len(posts.unsettled()) == 3
