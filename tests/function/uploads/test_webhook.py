"""webhook: the business is notified of uploads, and no upload fails because it is silent."""

import json
import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from datetime import UTC, datetime

import pytest
import requests
import responses
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from function import webhook
from function.auth.signed_tokens import RECEIPT, read_token
from function.context import RequestContext
from function.errors import Unauthorized
from function.http.client import HttpResponse, send
from function.request_log import LogLine
from function.uploads.plan import MAX_CALLBACK_CHARACTERS
from function.webhook import notify_business, post_event, signature
from tests.function.uploads.conftest import PROFILES, SETTINGS, read_upload

SECRET = SETTINGS["TOKEN_SECRET"]
OLDER_SECRET = "an-older-secret-0123456789-0123456789"
WEBHOOK = "https://shop.example.com/hooks/uploads?token=webhook-canary"


@pytest.fixture
def with_webhook(function, instance, key_host):
    """The same function with a webhook; OSS's key comes from ``responses``, too."""
    with responses.RequestsMock() as network:
        network.add("GET", "https://gosspublic.alicdn.com/callback_pub_key_v1.pem", body=key_host.key)
        yield instance(**function.environ, UPLOAD_WEBHOOK_URL=WEBHOOK), network


def test_the_webhook_gets_the_receipt(with_webhook, upload, call, log_lines):
    function, network = with_webhook
    hook = network.add("POST", WEBHOOK, status=204)
    answer = call(upload(of=function).body(), of=function)
    assert hook.call_count == 1
    told = network.calls[-1].request
    assert json.loads(told.body) == {"event": "uploaded", "receipt": answer.json["receipt"]}
    assert told.headers["Content-Type"] == "application/json"
    assert log_lines()[-1]["webhook"] == "ok"


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ({"status": 500}, "HTTP 500"),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, "HTTP 302"),
        ({"body": requests.ConnectionError("webhook-canary")}, "ConnectionError"),
        ({"body": requests.ReadTimeout("webhook-canary")}, "ReadTimeout"),
        ({"body": "x" * 65537}, "response over the size limit"),
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


TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
TRACED = {"traceparent": TRACEPARENT}


@pytest.mark.parametrize("trace", [TRACEPARENT, ""])
def test_the_webhook_gets_the_traceparent_of_the_form(with_webhook, call, good_sts, log_lines, clock, trace):
    """OSS knows of no trace: it is in the ticket of a callback, and in no other."""
    function, network = with_webhook
    network.add("POST", WEBHOOK, status=204)
    headers = {"traceparent": trace} if trace else {}
    form = function.ask(body={"filename": "a.png"}, headers=headers).json
    answer = call(read_upload(form).body(), of=function)
    claims = read_token(answer.json["receipt"], audience=RECEIPT, secrets=[SECRET], now=clock())
    assert network.calls[-1].request.headers.get("traceparent", "") == trace
    assert log_lines()[-1].get("traceparent", "") == trace
    assert "trace" not in claims


def test_a_trace_that_finds_no_room_in_the_callback_is_left_out_and_the_form_given(
    instance, profiles_file, good_sts
):
    """Nobody's upload fails because somebody watches it."""
    settings = {**SETTINGS, "PROFILES_FILE": profiles_file(PROFILES)}

    def lengths(**changes):
        """Of the callback field, without a trace and with one."""
        function = instance(**{**settings, **changes})
        asked = [function.ask(body={"filename": "a.png"}, headers=trace) for trace in ({}, TRACED)]
        return [len(answer.json["formData"]["callback"]) for answer in asked]

    plain, traced = lengths()
    assert traced > plain + 55
    # An address so long that the field has room for nothing more.
    longer = SETTINGS["CALLBACK_URL"] + "/c" * ((MAX_CALLBACK_CHARACTERS - plain - 16) * 3 // 8)
    assert lengths(CALLBACK_URL=longer.replace("/callback", "") + "/callback") in [
        [length, length] for length in range(MAX_CALLBACK_CHARACTERS - 40, MAX_CALLBACK_CHARACTERS + 1)
    ]


def test_a_replay_at_another_instance_tells_the_business_the_very_same_receipt(
    with_webhook, instance, upload, call
):
    function, network = with_webhook
    network.add("POST", WEBHOOK)
    body = upload(of=function).body()
    for one in (function, function, instance(**function.environ)):
        assert call(body, of=one).status == 200
    first, second = [seen.request.body for seen in network.calls if seen.request.method == "POST"]
    assert first == second


def test_the_webhook_is_not_notified_of_unsigned_callbacks(with_webhook, upload, call):
    function, network = with_webhook
    assert call(upload(of=function).body(), of=function, signing_key="rsa_other").status == 403
    assert [seen.request.method for seen in network.calls] == ["GET"]


@pytest.mark.parametrize(("status", "problem"), [(199, True), (200, False), (299, False), (300, True)])
def test_only_2xx_counts_as_delivered(status, problem):
    said = post_event("https://b.example/hook", b"{}", {}, lambda *_, **__: HttpResponse(status, b""))
    assert said == (f"HTTP {status}" if problem else "")


def test_a_webhook_may_take_a_second_and_a_half():
    """With the fetch of the key it must stay within the 5 seconds OSS waits for a callback's answer."""
    given = {}
    post_event(
        "https://b.example/hook", b"", {}, lambda *_, **how: given.update(how) or HttpResponse(200, b"")
    )
    assert given["budget_seconds"] == 1.5


def deliveries(instance, environ, *events):
    """What the business gets of these events of one request: of each its body and its headers."""
    got = []

    def business(method, url, *, body, headers, **_options):
        assert (method, url) == ("POST", WEBHOOK)
        got.append((body, headers))
        return HttpResponse(204, b"")

    ready = instance(business, **environ, UPLOAD_WEBHOOK_URL=WEBHOOK).function.ready()
    context = RequestContext(None, ready, LogLine("r"))
    for event in events:
        given = {"receipt": "a.b.c", "upload_id": "KpY7", "owner": "public", **event}
        assert notify_business(context, ready.settings.home, **given)
    assert context.line.webhook == "ok"
    return got


def test_a_webhook_event_has_the_state_receipt_and_label(function, instance):
    [(body, _)] = deliveries(instance, function.environ, {"event": "rejected", "label": 20002})
    assert json.loads(body) == {"event": "rejected", "receipt": "a.b.c", "label": 20002}


# --- Standard Webhooks ---


def test_the_signature_is_that_of_the_published_example():
    """From the libraries of standard-webhooks, of each language the same."""
    key, id = b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), "msg_p5jXN8AQM9LWM0D4loKWxJek"
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signature(key, id, "1614265330", b'{"test": 2432232314}') == expected


@pytest.mark.parametrize("secret", [SECRET, OLDER_SECRET])
def test_the_library_takes_a_delivery_while_secrets_are_rotated(function, instance, clock, secret):
    clock.instant = datetime.now(UTC)
    environ = {**function.environ, "TOKEN_SECRET": f"{SECRET},{OLDER_SECRET}"}
    [(body, headers)] = deliveries(instance, environ, {})
    library = Webhook(f"whsec_{b64encode(secret.encode()).decode()}")
    assert library.verify(body, headers) == {"event": "uploaded", "receipt": "a.b.c"}
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        with pytest.raises(WebhookVerificationError):
            library.verify(body, headers | {name: headers[name].replace("1", "2").replace("d", "e")})
    with pytest.raises(WebhookVerificationError):
        library.verify(body.replace(b"uploaded", b"published"), headers)


def test_the_secret_of_receipts_signs_deliveries_if_there_is_one(function, instance, clock):
    clock.instant = datetime.now(UTC)
    [(body, headers)] = deliveries(instance, {**function.environ, "RECEIPT_SECRET": OLDER_SECRET}, {})
    assert Webhook(OLDER_SECRET.encode()).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET.encode()).verify(body, headers)


@pytest.mark.parametrize("from_backend", [True, False])
def test_the_signature_of_a_delivery_signs_no_token(function, instance, clock, from_backend):
    """One secret signs both, of texts that are never the same."""
    [(body, headers)] = deliveries(instance, function.environ, {})
    said = b64decode(headers["webhook-signature"].removeprefix("v1,"))
    token = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body.decode()}"
    token += "." + urlsafe_b64encode(said).decode().rstrip("=")
    with pytest.raises(Unauthorized) as refused:
        read_token(token, audience=RECEIPT, secrets=[SECRET], now=clock(), from_backend=from_backend)
    assert refused.value.reason == "unknown header"


def test_the_id_of_a_delivery_is_that_of_its_event_and_no_other(function, instance, clock):
    seen = set()
    for event in ("uploaded", "published"):
        for upload_id in ("KpY7", "_-", "x" * 100):
            for receipt in ("a.b.c", "a.d.c", "b.b.c"):
                one = {"event": event, "upload_id": upload_id, "receipt": receipt}
                [(_, headers)] = deliveries(instance, function.environ, one)
                clock.tick(minutes=1)
                # Signed with another secret it is the same receipt.
                [(_, again)] = deliveries(instance, function.environ, {**one, "receipt": f"{receipt}x"})
                assert headers["webhook-id"] == again["webhook-id"] == again["Idempotency-Key"]
                assert headers["webhook-timestamp"] != again["webhook-timestamp"]
                assert re.fullmatch(rf"{event}-[0-9A-Za-z_-]{{1,110}}", headers["webhook-id"])
                seen.add(headers["webhook-id"])
    assert len(seen) == 18
    # In any order of its fields.
    body = {"receipt": "a.b.c", "event": "uploaded"}
    assert webhook.id_of(body, "KpY7") == "uploaded-KpY7-6fc0380b2d6798dc4eaa777ec2e76969"
    assert any(id.startswith("uploaded-KpY7-") for id in seen)


def test_a_second_review_with_another_label_or_state_is_another_event(function, instance):
    first, second = ({"event": "review", "label": label} for label in (20001, 20002))
    sent = deliveries(instance, function.environ, first, second, second, {**second, "state": "published"})
    assert len({headers["webhook-id"] for _, headers in sent}) == 3
    assert len(sent) == 4


def test_an_instance_forgets_the_oldest_of_too_many_uploads(function, instance, monkeypatch):
    assert webhook.MAX_TOLD == 4096
    monkeypatch.setattr(webhook, "MAX_TOLD", 2)
    events = [{"upload_id": name} for name in ("a", "b", "a", "c", "b", "a")]
    sent = deliveries(instance, function.environ, *events)
    assert [headers["webhook-id"][9] for _, headers in sent] == [*"abca"]


@pytest.mark.not_for_coverage
def test_a_signed_callback_replayed_a_thousand_times_tells_the_business_once(
    with_webhook, upload, call, clock, log_lines
):
    function, network = with_webhook
    hook = network.add("POST", WEBHOOK)
    one, other = upload(of=function), upload(of=function)
    answers = [call(one.body(), of=function) for _ in range(1000)]
    assert [answer.status for answer in answers] == [200] * 20 + [429] * 980
    assert (answers[-1].code, answers[-1].headers["Retry-After"]) == ("too_many_requests", "60")
    assert hook.call_count == 1
    line = log_lines()[-1]
    assert (line["uploadId"], line["key"], line["profile"]) == ("upload-id-000000000001", one.key, "default")
    assert call(other.body(), of=function).status == 200
    clock.tick(seconds=60)
    assert call(one.body(), of=function).status == 200


def test_unsigned_callbacks_do_not_count_against_a_ticket(upload, call):
    body = upload().body()
    for _ in range(30):
        assert call(body, signing_key="rsa_other").status == 403
    assert [call(body).status for _ in range(21)] == [200] * 20 + [429]


def test_a_page_s_form_has_twenty_callbacks_a_minute_for_all_its_objects(upload, call):
    page = upload("page", "0.png")
    statuses = [call(page.body(object=f"test/{number}.png")).status for number in range(21)]
    assert statuses == [200] * 20 + [429]


@pytest.mark.parametrize(("is_warm", "status"), [(False, 503), (True, 200)])
def test_a_callback_succeeds_when_no_thread_can_start(
    function, instance, upload, call, key_host, no_threads, log_lines, is_warm, status
):
    """Without a key it cannot be verified yet; with one only the business is not told."""
    answers = {"gosspublic": key_host}

    def network(method, url, **options):
        return next((host for name, host in answers.items() if name in url), send)(method, url, **options)

    threadless = instance(network, **function.environ, UPLOAD_WEBHOOK_URL="http://127.0.0.1:9/hook")
    body = upload(of=threadless).body()
    if is_warm:
        assert call(body, of=threadless).status == 200
    answers.clear()
    with no_threads():
        answer = call(body, of=threadless)
    assert answer.status == status
    if is_warm:
        assert log_lines()[-1]["webhook"] == "cannot start a thread"
    else:
        assert answer.code == "oss_key_unavailable"
        assert log_lines()[-1]["reason"] == "public key: cannot start a thread"
