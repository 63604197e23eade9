"""uploads.receipt: /confirm gives a receipt for what OSS itself reports."""

from datetime import timedelta

import pytest

from function.auth.signed_tokens import RECEIPT, SESSION, TICKET, issue_token
from function.http.client import ExchangeFailed, HttpResponse
from tests.function.uploads.conftest import FILES, PAGE, SECRET, claims_of, forged_ticket
from tests.support.cases import cases_beside, profile_toml, table_beside

cases = cases_beside(__file__)

pytestmark = pytest.mark.usefixtures("good_sts")
ENDPOINT = "https://my-bucket.oss-cn-hangzhou-internal.aliyuncs.com"
PROFILES = (
    profile_toml("default", "uploads", "{owner}/{yyyy}/{id}{ext}", **FILES, confirm=True)
    + profile_toml("both", max_size="1KiB", content_types=["image/png"], confirm=True, callback=True)
    + profile_toml("called", max_size="1KiB", content_types=["image/png"], callback=True)
    + PAGE
)
SETTINGS = {
    "TOKEN_SECRET": SECRET,
    "OSS_ENDPOINT": ENDPOINT,
    "CALLBACK_URL": "https://upload.example.com/callback",
}


@pytest.fixture
def function(instance, profiles_file, oss):
    return instance(oss, **SETTINGS, PROFILES_FILE=profiles_file(PROFILES))


@pytest.fixture
def ask_form(function):
    """The answer to a request for a form; ``of``: another instance, ``headers``: who asks."""

    def ask(of=None, headers=None, **body):
        answer = (of or function).ask(body={"filename": "a.png", **body}, headers=headers)
        assert answer.status == 200, answer.text
        return answer.json

    return ask


@pytest.fixture
def confirm(function):
    def ask(ticket, of=None):
        return (of or function).ask(path="/confirm", body={"ticket": ticket})

    return ask


def test_a_form_brings_a_ticket_where_its_profile_is_confirmed_and_is_the_same_otherwise(ask_form):
    with_ticket, without = ask_form(profile="both"), ask_form(profile="called")
    assert set(with_ticket) == {*without, "ticket"}
    assert set(with_ticket["formData"]) == set(without["formData"])
    assert "ticket" not in with_ticket["formData"]


def test_a_ticket_beside_no_callback_holds_no_trace(ask_form, clock):
    form = ask_form(headers={"traceparent": f"00-{'1' * 32}-{'2' * 16}-01"})
    assert "trace" not in claims_of(form["ticket"], clock, TICKET)


def test_response_and_receipt_repeat_the_facts_from_oss(ask_form, confirm, oss, clock):
    form = ask_form()
    answer = confirm(form["ticket"])
    assert answer.status == 200
    facts = {"key": form["key"], "size": 1024, "etag": "D41D8CD98F00B204E9800998ECF8427E"}
    facts["mimeType"] = "image/png"
    told = answer.json
    receipt = told.pop("receipt")
    size = {"width": None, "height": None}
    about = {"url": form["fileUrl"], "uploadId": form["uploadId"], "state": "stored"}
    assert told == {"status": "ok", **facts, **size, **about}
    who = {"sub": "public", "owner": "public", "bucket": "my-bucket", "profile": "default"}
    now = int(clock().timestamp())
    about = {"jti": form["uploadId"], "seen": True, "aud": RECEIPT, "iat": now, "exp": now + 86400}
    assert claims_of(receipt, clock) == {**facts, **who, **about}


def test_the_same_ticket_gives_the_same_receipt_until_it_ends_an_hour_after_its_form(
    ask_form, confirm, clock
):
    ticket = ask_form()["ticket"]
    first = confirm(ticket).text
    for seconds in (1, 299, 3599):
        clock.tick(seconds=seconds)
        assert confirm(ticket).text == first
    clock.tick(seconds=1)
    assert confirm(ticket).outcome == (403, "forbidden")


def test_confirm_reports_a_missing_object_as_not_uploaded(ask_form, confirm, oss):
    ticket = ask_form()["ticket"]
    oss.lacks()
    assert confirm(ticket).outcome == (404, "not_uploaded")
    assert len(oss.asked) == 1
    oss.has()
    assert confirm(ticket).status == 200


@cases("stored")
def test_another_size_or_type_than_the_form_s_is_forbidden(ask_form, confirm, oss, log_lines, stored):
    ticket = ask_form()["ticket"]
    oss.has(**stored)
    answer = confirm(ticket)
    assert answer.outcome == (403, "forbidden")
    assert "receipt" not in answer.text
    size, kind = stored.get("content_length", "1024"), stored.get("content_type", "image/png")
    kind = kind if kind.endswith(("html", "png")) else ""
    assert log_lines()[-1]["reason"] == f"the form admitted no {size} bytes of {kind}"


@pytest.mark.parametrize(("size", "status"), [(1023, 403), (1024, 200), (1025, 403)])
def test_only_the_announced_size_is_confirmed(ask_form, confirm, oss, size, status):
    ticket = ask_form(size=1024)["ticket"]
    oss.has(content_length=str(size))
    assert confirm(ticket).status == status


@pytest.mark.parametrize(
    ("says", "status", "code"),
    [
        (HttpResponse(403, b"", {"x-oss-ec": "0003-00000001"}), 502, "oss_rejected"),
        (HttpResponse(500, b""), 503, "oss_unavailable"),
        (HttpResponse(200, b"", {}), 503, "oss_unavailable"),
        (ExchangeFailed("timed out"), 503, "oss_unavailable"),
    ],
    ids=["refused", "failing", "nonsense", "silent"],
)
def test_confirm_treats_only_a_missing_object_as_absent(ask_form, confirm, oss, says, status, code):
    ticket = ask_form()["ticket"]
    oss.says = says
    answer = confirm(ticket)
    assert answer.outcome == (status, code)
    assert ("Retry-After" in answer.headers) is (status == 503)


def confirmable(clock, **changes):
    return forged_ticket(clock, **{"key": "uploads/public/2026/i.png", **changes})


FORGERIES = table_beside(__file__)["FORGERIES"]


@pytest.mark.parametrize("forgery", FORGERIES)
def test_confirm_sends_nothing_to_oss_for_other_tickets(confirm, clock, oss, good_sts, forgery):
    assert confirm(confirmable(clock, **FORGERIES[forgery])).outcome == (403, "forbidden")
    assert (oss.asked, len(good_sts.calls)) == ([], 0)


def test_a_ticket_made_by_hand_passes_so_the_forgeries_fail_for_their_own_reason(confirm, clock):
    assert confirm(confirmable(clock)).status == 200


@pytest.mark.parametrize(
    "body", [{}, {"ticket": None}, {"ticket": ""}, {"ticket": 5}, {"ticket": ["x"]}, {"ticket": {}}], ids=str
)
def test_confirm_without_a_ticket_is_a_bad_request(function, oss, body):
    answer = function.ask(path="/confirm", body=body)
    assert (answer.status, answer.code, oss.asked) == (400, "bad_request", [])
    assert answer.json["error"]["message"].startswith("ticket ")


WECHAT = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx1", "WECHAT_SECRET": "s"}


def test_confirm_refuses_a_ticket_of_another_mini_program(function, instance, ask_form, confirm, clock, oss):
    """Both share the secret and the bucket; neither confirms for the other."""
    claims, hour = {"sub": "openid", "app": "wx1", "bucket": "my-bucket"}, timedelta(hours=1)
    session = issue_token(claims, audience=SESSION, secrets=[SECRET], now=clock(), life=hour)
    ours = instance(oss, **{**function.environ, **WECHAT})
    theirs = instance(oss, **{**function.environ, **WECHAT, "WECHAT_APPID": "wx2"})
    given = ask_form(of=ours, headers={"X-Upload-Token": session})["ticket"]
    assert [confirm(given, of=each).status for each in (theirs, function, ours)] == [403, 403, 200]
    assert len(oss.asked) == 1


def test_a_ticket_is_confirmed_thirty_times_a_minute_and_no_more(ask_form, confirm, clock, oss):
    given, other = ask_form()["ticket"], ask_form()["ticket"]
    assert [confirm(given).status for _ in range(31)] == [200] * 30 + [429]
    refused = confirm(given)
    assert (refused.code, refused.headers["Retry-After"]) == ("too_many_requests", "60")
    assert len(oss.asked) == 30
    assert confirm(other).status == 200
    clock.tick(seconds=60)
    assert confirm(given).status == 200


CONTEXTS = table_beside(__file__)["CONTEXTS"]


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: str(context)[:20])
def test_ticket_and_receipt_have_the_context_even_if_empty(ask_form, confirm, clock, context):
    ticket = ask_form(context=context)["ticket"]
    receipt = confirm(ticket).json["receipt"]
    assert claims_of(ticket, clock, TICKET)["context"] == context
    assert claims_of(receipt, clock)["context"] == context


def test_a_context_does_not_override_claims(ask_form, confirm, clock, oss):
    hostile = {"key": "x", "sub": "victim", "seen": False, "aud": SESSION, "exp": 1}
    form = ask_form(context=hostile)
    claims = claims_of(confirm(form["ticket"]).json["receipt"], clock)
    assert (claims["key"], claims["sub"], claims["seen"], claims["context"]) == (
        *(form["key"], "public", True),
        hostile,
    )


@pytest.mark.parametrize(("option", "key"), [("callback", "图" * 320), ("confirm", "é" * 400)])
def test_a_context_that_finds_no_room_beside_the_key_is_the_caller_s_to_shorten(
    instance, profiles_file, oss, option, key
):
    """Never the operator's: no caller makes a deployment misconfigured."""
    text = f'[default]\nkey = "{key}/{{id}}"\nmax_size = 9\ncontent_types = ["image/png"]\n{option} = true'
    function = instance(oss, **SETTINGS, PROFILES_FILE=profiles_file(text))
    assert function.ask(body={"filename": "a.png"}).status == 200
    answer = function.ask(body={"filename": "a.png", "context": {"a": "图" * 82}})
    assert answer.outcome == (400, "bad_request")
    assert "context" in answer.json["error"]["message"]


def test_a_key_that_leaves_no_room_for_a_ticket_is_the_operator_s_to_shorten(
    instance, profiles_file, oss, log_lines
):
    text = f'[default]\nkey = "{"é" * 490}/{{id}}"\nmax_size = 9\ncontent_types = ["image/png"]\n'
    function = instance(oss, **SETTINGS, PROFILES_FILE=profiles_file(f"{text}confirm = true"))
    for context in (None, {"a": 1}):
        assert function.ask(body={"filename": "a.png", "context": context}).code == "misconfigured"
        assert "[default]: its key is too long for confirm = true" in log_lines()[-1]["reason"]


def test_the_log_names_the_upload_and_holds_no_token(ask_form, confirm, log_lines, caplog):
    form = ask_form(context={"order": "canary-of-the-context"})
    answer = confirm(form["ticket"]).json
    line = log_lines()[-1]
    assert (line["route"], line["status"], line["profile"], line["owner"], line["key"], line["uploadId"]) == (
        *("confirm", 200, "default", "public"),
        *(form["key"], form["uploadId"]),
    )
    assert line["stsRefreshed"] is True
    for secret in (form["ticket"], answer["receipt"], "canary-of-the-context"):
        assert secret not in caplog.text


def test_refusals_of_confirm_do_not_reveal_their_reason(confirm, clock, log_lines):
    told = {confirm(confirmable(clock, **forgery)).json["error"]["message"] for forgery in FORGERIES.values()}
    assert len(told) == 1
    assert len({line["reason"] for line in log_lines() if line["status"] == 403}) >= 6


@pytest.mark.parametrize(("left", "status"), [(70, 200), (69, 503)])
def test_credentials_for_confirm_outlive_the_request_by_a_minute(
    ask_form, confirm, clock, good_sts, left, status
):
    confirm(ask_form()["ticket"])
    clock.tick(seconds=3600 - 300)
    ticket = ask_form()["ticket"]
    good_sts.replace("POST", "https://sts.cn-hangzhou.aliyuncs.com/", status=503)
    clock.tick(seconds=300 - left)
    assert confirm(ticket).status == status
