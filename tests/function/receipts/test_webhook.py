"""receipts.webhook: who is told of an upload, and what happens when nobody listens."""

import json

import pytest
import requests
import responses

from function.outgoing import Answer
from function.receipts.webhook import tell_business

WEBHOOK = "https://shop.example.com/hooks/uploads?token=webhook-canary"


# --- telling the business ---


@pytest.fixture
def with_webhook(function, instance, key_host):
    """The same function with a webhook; OSS's key comes from ``responses``, too."""
    with responses.RequestsMock() as network:
        network.add("GET", "https://gosspublic.alicdn.com/callback_pub_key_v1.pem", body=key_host.key)
        yield instance(**function.environ, UPLOAD_WEBHOOK_URL=WEBHOOK), network


def test_the_business_is_told_the_receipt(with_webhook, upload, call, log_lines):
    function, network = with_webhook
    hook = network.add("POST", WEBHOOK, status=204)
    answer = call(upload(of=function).body(), of=function)
    assert hook.call_count == 1
    told = network.calls[-1].request
    assert json.loads(told.body) == {"receipt": answer.json["receipt"]}
    assert told.headers["Content-Type"] == "application/json"
    assert log_lines()[-1]["webhook"] == "ok"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ({"status": 500}, "HTTP 500"),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, "HTTP 302"),
        ({"body": requests.ConnectionError("webhook-canary")}, "ConnectionError"),
        ({"body": requests.ReadTimeout("webhook-canary")}, "ReadTimeout"),
        ({"body": "x" * 65537}, "answer over the size limit"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_upload_succeeds_when_the_business_does_not_listen(
    with_webhook, upload, call, log_lines, caplog, failure, reason
):
    function, network = with_webhook
    hook = network.add("POST", WEBHOOK, **failure)
    answer = call(upload(of=function).body(), of=function)
    assert answer.status == 200
    assert hook.call_count == 1
    assert log_lines()[-1]["webhook"] == reason
    assert "webhook-canary" not in caplog.text + answer.text


def test_a_replay_tells_the_business_the_very_same_receipt(with_webhook, upload, call):
    function, network = with_webhook
    network.add("POST", WEBHOOK)
    body = upload(of=function).body()
    for _ in range(2):
        assert call(body, of=function).status == 200
    first, second = [seen.request.body for seen in network.calls if seen.request.method == "POST"]
    assert first == second


def test_the_business_is_not_told_what_oss_did_not_sign(with_webhook, upload, call):
    function, network = with_webhook
    assert call(upload(of=function).body(), of=function, signing_key="rsa_other").status == 403
    assert [seen.request.method for seen in network.calls] == ["GET"]


@pytest.mark.parametrize(("status", "problem"), [(199, True), (200, False), (299, False), (300, True)])
def test_a_webhook_takes_a_receipt_with_2xx_and_nothing_else(status, problem):
    said = tell_business("https://b.example/hook", "r", lambda *_, **__: Answer(status, b""))
    assert said == (f"HTTP {status}" if problem else "")


def test_a_webhook_may_take_a_second_and_a_half():
    """With the fetch of the key it must stay within the 5 seconds OSS waits for a callback's answer."""
    given = {}
    tell_business(
        "https://b.example/hook", "r", lambda *_, **options: given.update(options) or Answer(200, b"")
    )
    assert given["budget_seconds"] == 1.5
