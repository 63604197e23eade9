"""The local cloud answers as ``docs/openapi.yaml`` says in a whole upload of each kind."""

import time
from urllib.parse import urlsplit

import jwt
import pytest
import requests

from function.auth.business_token import AUDIENCE, ERASURE
from tests.docs.openapi import check_answer, check_value, document
from tests.end_to_end.conftest import PICTURE, post_form, running_cloud
from tests.support.stage import Reply


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class Client:
    """Asks the function, and holds each answer to the document."""

    def __init__(self, running):
        self.origin = running.usual
        self.session = bearer(running.log_in())
        environ = running.cloud.environment()
        secret = environ.get("RECEIPT_SECRET") or environ["TOKEN_SECRET"]
        ends = int(time.time()) + 300
        self.erasing, self.deciding = (
            bearer(jwt.encode({"aud": each, "exp": ends}, secret, "HS256")) for each in (ERASURE, AUDIENCE)
        )
        self.answered = set()

    def ask(self, route, body=None, method="POST", **given):
        address = f"{self.origin}/{route}"
        given = {"headers": self.session, **given}
        answer = requests.request(method, address, json=body, timeout=60, **given)
        reply = Reply(answer.status_code, answer.headers, answer.text)
        check_answer(method, urlsplit(answer.url).path, reply)
        self.answered.add((method, f"/{route}", answer.status_code))
        return answer.json()


@pytest.fixture
def client(tmp_path):
    """The function among the local services; the rates are in nobody's way."""
    rates = dict.fromkeys(("CALLER_RATE", "LOGIN_RATE", "READ_RATE"), "100000/min")
    with running_cloud(tmp_path) as running:
        running.usual = running.start(ERASE="true", **rates)
        yield Client(running)


def post(form):
    return post_form(form["url"], form["formData"])


def small_file(client):
    form = client.ask("upload-params", {"profile": "avatar", "filename": "a.png", "context": {"order": 17}})
    called_back = post(form).json()
    check_value("#/paths/~1callback/post/responses/200/content/application~1json/schema", called_back, "OSS")
    client.ask("confirm", {"ticket": form["ticket"]})
    client.ask("read", {"items": [{"key": form["key"]}, {"key": form["key"], "variant": "thumb"}]})
    client.ask("read", {"key": form["key"]})
    client.ask("confirm", {"ticket": "eyJ"})


def file_that_is_there(client):
    wanted = {"profile": "album", "filename": "a.png", "size": len(PICTURE), "sha256": "0" * 64}
    first = client.ask("upload-params", wanted)
    client.ask("confirm", {"ticket": first["ticket"]})
    post(first)
    assert client.ask("upload-params", {"files": [wanted, {"filename": "b.png"}]})["uploads"][0]["exists"]
    (listed,) = client.ask("list", {"profile": "album"})["items"]
    assert listed["key"] == first["key"]
    assert client.ask("delete", {"keys": [listed["key"]]})["results"][0]["state"] == "gone"
    assert client.ask("list", {"profile": "album"})["items"] == []


def large_file(client):
    begun = client.ask("multipart", {"profile": "video", "filename": "a.mp4", "size": 1024 * 1024 + 1})
    ticket = {"ticket": begun["ticket"]}
    client.ask("multipart-complete", ticket)
    for part in client.ask("multipart-parts", ticket)["parts"]:
        answer = requests.put(part["url"], bytes(part["size"]), headers=begun["headers"], timeout=60)
        assert answer.status_code == 200, answer.text
    client.ask("multipart-complete", ticket)
    client.ask("multipart-abort", ticket)
    other = client.ask("multipart", {"profile": "video", "filename": "b.mp4", "size": 1})
    client.ask("multipart-abort", {"ticket": other["ticket"]})
    client.ask("multipart-parts", {"ticket": other["ticket"]})


def held_file(client):
    """Held, published by its owner, and another one given up."""
    receipts = []
    for _ in range(2):
        form = client.ask("upload-params", {"profile": "note", "filename": "a.png"})
        post(form)
        receipts.append({"receipt": client.ask("confirm", {"ticket": form["ticket"]})["receipt"]})
    published, given_up = receipts
    assert client.ask("status", published)["state"] == "held"
    assert client.ask("commit", published)["state"] == "published"
    assert client.ask("discard", given_up)["state"] == "gone"
    both = [one["receipt"] for one in receipts]
    client.ask("status", {"receipts": both})
    client.ask("commit", {"receipts": [*both, "eyJ"]})
    client.ask("discard", published)


def decided_file(client):
    """Held, and rejected by hand; nothing else waits for a human."""
    form = client.ask("upload-params", {"profile": "note", "filename": "a.png"})
    post(form)
    receipt = {"receipt": client.ask("confirm", {"ticket": form["ticket"]})["receipt"]}
    assert client.ask("reviews", {"limit": 5}, headers=client.deciding)["items"] == []
    by_hand = {**receipt, "decision": "reject", "reviewer": "Hong"}
    decision = client.ask("commit", by_hand, headers=client.deciding)["decision"]
    assert decision["reviewer"] == "Hong"
    assert client.ask("status", receipt, headers=client.deciding)["decision"] == decision


def everything_of_a_user(client):
    """Erased in both buckets of the local cloud, but for the pass that waits until no form is out."""
    form = client.ask("upload-params", {"profile": "contract", "filename": "a.pdf"})
    post(form)
    owner = form["key"].split("/")[1]
    for _ in range(2):
        answer = client.ask("erase", {"owner": owner}, headers=client.erasing)
    assert (answer["state"], answer["deleted"] > 1) == ("running", True)
    assert client.ask("confirm", {"ticket": form["ticket"]})["error"]["code"] == "not_uploaded"


def test_every_route_of_a_whole_upload_answers_as_documented(client):
    client.ask("health", method="GET")
    client.ask("login", {"code": "local-another"})
    session = client.session["Authorization"].removeprefix("Bearer ")
    assert client.ask("introspect", {"token": session}, headers=client.deciding)["active"]
    client.ask("upload-params", method="GET", params={"filename": "a.png", "context": '{"order": 17}'})
    client.ask("upload-params", {"profile": "legacy", "filename": "a.png"})
    small_file(client)
    file_that_is_there(client)
    large_file(client)
    held_file(client)
    decided_file(client)
    everything_of_a_user(client)
    answered = {(method, path) for method, path, status in client.answered if status == 200}
    documented = {(method.upper(), path) for path, item in document()["paths"].items() for method in item}
    # These are asked by OSS and by WeChat alone.
    others = {("POST", "/callback"), ("GET", "/check-source")}
    others |= {(method, "/wechat-events") for method in ("GET", "POST")}
    assert answered == documented - others
    assert {status for _, _, status in client.answered} == {200, 403, 404, 409, 410}
