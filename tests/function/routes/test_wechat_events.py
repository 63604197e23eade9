"""``/wechat-events``: pushes of WeChat are carried out, forged ones change nothing."""

import hashlib
import json
from datetime import timedelta
from io import BytesIO
from urllib.parse import urlencode

import pytest

from function.auth.signed_tokens import RECEIPT, issue_token
from function.errors import StsUnavailable
from function.http.client import ExchangeFailed, HttpResponse
from local.wechat.events import as_xml
from tests.function.holding.wechat_world import AES_KEY, APPID, FORWARD_URL, OPENID, TOKEN, TRACE, world_of
from tests.support.memory_oss import BROKEN, DENIED, UNHEARD
from tests.support.stage import ask_wsgi
from tests.support.wechat import Wechat

UPLOAD_ID, OWNER = "A" * 22, "o" * 26
KEY = f"posts/{OWNER}/{UPLOAD_ID}.jpg"
PICTURE = b"a picture"
FOREIGN = {"MsgType": "event", "Event": "user_enter_tempsession", "FromUserName": "oX", "SessionFrom": "é"}
NOTHING_OF_OURS = "not our event, and WECHAT_PUSH_FORWARD_URL is not set"
UNSIGNED = "msg_signature does not fit WECHAT_PUSH_TOKEN, or is missing"
PLAIN = '[plain]\nkey = "plain/{owner}/{id}{ext}"\nmax_size = "1MiB"\ncontent_types = ["image/png"]\n'
NOT_A_PAGE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


@pytest.fixture
def world(environment, clock, profiles_file, log_lines):
    return world_of(environment, clock, profiles_file)


@pytest.fixture
def checking(world):
    """A world with an upload that waits for its verdict."""
    submit(world)
    return world


@pytest.fixture
def forwarding(environment, clock, profiles_file, log_lines):
    return world_of(environment, clock, profiles_file, WECHAT_PUSH_FORWARD_URL=FORWARD_URL)


def verdict(suggest="pass", trace=TRACE, **changes):
    result = {"suggest": suggest, "label": 100 if suggest == "pass" else 20002}
    event = {"ToUserName": "gh_x", "MsgType": "event", "Event": "wxa_media_check", "appid": APPID}
    return {**event, "trace_id": trace, "version": 2, "errcode": 0, "result": result, **changes}


def submit(world):
    """An upload that waits for its verdict, as the function leaves it."""
    settings = world.settings
    claims = {"key": KEY, "size": len(PICTURE), "etag": hashlib.md5(PICTURE).hexdigest().upper()}
    claims |= {"mimeType": "image/jpeg", "sub": OPENID, "owner": OWNER, "bucket": "my-bucket"}
    claims |= {"profile": "post", "jti": UPLOAD_ID, "seen": True, "held": True}
    secrets = settings.receipt_secrets
    receipt = issue_token(claims, audience=RECEIPT, secrets=secrets, now=world.now(), life=timedelta(days=2))
    world.oss.store(f"held/{KEY}", PICTURE, content_type="image/jpeg", x_oss_meta_upload_id=UPLOAD_ID)
    accepted = {"state": "submitted", "trace": TRACE, "number": 1, "is_committed": True}
    accepted |= {"receipt": receipt, "etag": claims["etag"], "since": "2026-11-24T14:00:00Z"}
    for name, said in (
        (f"held/.checks/{TRACE}", {"receipt": receipt, "stored_at": "2026-11-24T14:00:00Z"}),
        (f"held/.accepted/{UPLOAD_ID}", accepted),
    ):
        said["at"] = "2026-11-24T14:00:00Z"
        world.oss.store(name, json.dumps(said).encode(), content_type="application/json")
    return receipt


def is_success(reply):
    assert (reply.status, reply.text) == (200, "success")
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    return True


def is_held(world):
    return f"held/{KEY}" in world.oss.objects and KEY not in world.oss.objects


def own_headers(reply):
    """Without what the first response of an instance says of itself."""
    return {name: value for name, value in reply.headers.items() if name != "Server-Timing"}


def is_refused(world, reply, log_lines, why):
    """Nothing changed, nothing leaked, and the log has the reason."""
    assert (reply.status, reply.json["error"]["code"]) == (403, "forbidden")
    assert log_lines()[-1]["reason"] == f"push refused: {why}"
    assert world.forwarded == []
    return True


def test_the_url_check_of_wechat_s_console_returns_echostr(world):
    reply = world.deliver(method="GET", query={**world.wechat.query(), "echostr": "4375120948345356249"})
    assert (reply.status, reply.text) == (200, "4375120948345356249")
    assert own_headers(reply) == {"Content-Type": "text/plain; charset=utf-8", **NOT_A_PAGE}


@pytest.mark.parametrize(
    "changes",
    [
        *({"signature": text} for text in (..., "", "0" * 40)),
        *({"timestamp": "1"}, {"nonce": "1"}, {"timestamp": ..., "nonce": ...}),
        *({"echostr": ...}, {"echostr": ""}),
    ],
    ids=str,
)
def test_any_other_get_is_refused(world, log_lines, changes):
    query = {**world.wechat.query(), "echostr": "4375120948345356249", **changes}
    reply = world.deliver(method="GET", query={name: text for name, text in query.items() if text is not ...})
    assert is_refused(world, reply, log_lines, "signature does not fit WECHAT_PUSH_TOKEN, or is missing")
    assert "4375120948345356249" not in reply.text


def test_a_pass_publishes(checking, log_lines):
    assert is_success(checking.push(verdict()))
    assert checking.oss.objects[KEY].body == PICTURE
    assert f"held/{KEY}" not in checking.oss.objects
    line = log_lines()[-1]
    assert (line["route"], line["status"], line["profile"]) == ("wechat-events", 200, "post")
    assert (line["key"], line["uploadId"], line["owner"]) == (KEY, UPLOAD_ID, OWNER)


def test_a_risky_verdict_deletes_the_object(checking):
    assert is_success(checking.push(verdict("risky")))
    assert not {KEY, f"held/{KEY}"} & set(checking.oss.objects)
    assert f"held/.rejected/{UPLOAD_ID}" in checking.oss.objects


@pytest.mark.parametrize(
    "said",
    [
        verdict("review"),
        verdict(errcode=-1008, result=None),
        verdict(result="pass"),
        verdict(detail=[{"errcode": 0, "suggest": "risky"}]),
    ],
    ids=["review", "not downloaded", "unreadable", "contradictory"],
)
def test_any_other_verdict_leaves_the_object_held_for_review(checking, said):
    assert is_success(checking.push(said))
    assert is_held(checking)
    assert f"held/.review/{UPLOAD_ID}" in checking.oss.objects


@pytest.mark.parametrize("suggest", ["pass", "risky", "review"])
def test_a_repeated_push_changes_nothing(checking, suggest):
    assert is_success(checking.push(verdict(suggest)))
    before = dict(checking.oss.objects)
    checking.now.tick(hours=3)
    for again in (suggest, "review", "pass"):
        if suggest != "review" or again != "pass":
            assert is_success(checking.push(verdict(again)))
    assert checking.oss.objects == before


def test_a_verdict_before_its_record_is_stored(world):
    assert is_success(world.push(verdict()))
    stored = json.loads(world.oss.objects[f"held/.verdicts/{TRACE}"].body)
    assert (stored["outcome"], stored["label"], stored["errcode"]) == ("PASS", 100, 0)


@pytest.mark.parametrize("failing", [BROKEN, UNHEARD, DENIED])
@pytest.mark.parametrize("at", ["GetObject", "PutObject", "CopyObject", "DeleteObject", "HeadObject"])
def test_a_verdict_that_oss_failed_is_accepted_when_repeated(checking, log_lines, failing, at):
    checking.oss.fail(at, *[failing] * 20)
    reply = checking.push(verdict())
    assert (reply.status, reply.json["error"]["code"]) == (503, "oss_unavailable")
    assert int(reply.headers["Retry-After"]) > 0
    assert log_lines()[-1]["reason"]
    checking.oss.faults.clear()
    assert is_success(checking.push(verdict()))
    assert KEY in checking.oss.objects and f"held/{KEY}" not in checking.oss.objects


def test_a_verdict_without_credentials_gets_retry_after_from_sts(checking, log_lines):
    def busy(_own, _now, *, attempts):
        raise StsUnavailable(reason="Throttling", retry_after=7)

    for cache in checking.function.ready().credentials.values():
        cache.assume_role = busy
    reply = checking.push(verdict())
    assert (reply.status, reply.code, reply.headers["Retry-After"]) == (503, "sts_unavailable", "7")
    assert log_lines()[-1]["reason"] == "Throttling"
    checking.oss.give_sessions(checking.function, timedelta(hours=2))
    assert is_success(checking.push(verdict()))
    assert KEY in checking.oss.objects


def test_a_verdict_that_could_not_be_stored_is_unavailable(world):
    world.oss.fail("PutObject", *[BROKEN] * 20)
    assert world.push(verdict()).status == 503
    assert world.oss.objects == {}


# ---- forged pushes -------------------------------------------------------------------------------


def test_an_unencrypted_push_is_refused_with_any_signature(checking, log_lines):
    before = dict(checking.oss.objects)
    for query in ({}, checking.wechat.query(), checking.wechat.query("x")):
        reply = checking.deliver(json.dumps(verdict()), query=query)
        why = "it is not encrypted; choose the secure mode in WeChat's console"
        assert is_refused(checking, reply, log_lines, why)
    assert checking.oss.objects == before


@pytest.mark.parametrize(
    ("stranger", "why"),
    [
        (Wechat("AnotherToken", AES_KEY, APPID), UNSIGNED),
        (Wechat(TOKEN, "B" * 43, APPID), "it cannot be decrypted with WECHAT_PUSH_AES_KEY"),
        (Wechat(TOKEN, AES_KEY, "wxanother"), "it is for another AppID than WECHAT_APPID"),
    ],
)
def test_a_push_of_a_stranger_changes_nothing(checking, log_lines, stranger, why):
    query, body = stranger.push(verdict())
    assert is_refused(checking, checking.deliver(body, query=query), log_lines, why)
    assert is_held(checking)


@pytest.mark.parametrize(("suggest", "published"), [("pass", True), ("risky", False), ("review", False)])
def test_a_verdict_in_xml_is_carried_out_as_one_in_json(checking, suggest, published):
    detail = [{"strategy": name, "errcode": 0, "suggest": suggest, "label": 100} for name in "ab"]
    query, body = checking.wechat.push(as_xml(verdict(suggest, detail=detail)))
    assert is_success(checking.deliver(as_xml(json.loads(body)), query=query))
    assert (KEY in checking.oss.objects) == published


def test_a_push_is_read_where_nothing_is_checked(environment, clock, profiles_file, log_lines):
    world = world_of(environment, clock, profiles_file, PLAIN, WECHAT_PUSH_FORWARD_URL=FORWARD_URL)
    query = {**world.wechat.query(), "echostr": "4375120948345356249"}
    assert world.deliver(method="GET", query=query).text == query["echostr"]
    assert is_success(world.push(verdict()))
    assert (len(world.forwarded), world.oss.objects) == (1, {})
    # It was stored nowhere, so WeChat repeats it.
    world.forwarder = ExchangeFailed("timed out")
    assert world.push(verdict()).status == 503


@pytest.mark.parametrize("changes", [{"CALLER_AUTH": "anonymous"}, {"WECHAT_PUSH_TOKEN": None}], ids=str)
def test_without_a_push_there_is_no_route(environment, clock, profiles_file, changes):
    keyless = {"WECHAT_PUSH_AES_KEY": None} if "WECHAT_PUSH_TOKEN" in changes else {}
    world = world_of(environment, clock, profiles_file, PLAIN, **changes, **keyless)
    for reply in (world.deliver(b"{}"), world.deliver(method="GET")):
        assert (reply.status, reply.code) == (404, "not_found")


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"\xff", b"[" * 60_000, b'{"Encrypt": {}}'], ids=lambda body: body[:9]
)
def test_a_malformed_body_changes_nothing(checking, log_lines, body):
    before = dict(checking.oss.objects)
    reply = checking.deliver(body, query=checking.wechat.query("x"))
    assert (reply.status, reply.code) == (403, "forbidden")
    assert checking.oss.objects == before


WRONG = [None, True, 5, 1.5, "", "x", [], ["x"], {}, {"a": 1}]


@pytest.mark.parametrize("wrong", WRONG, ids=repr)
@pytest.mark.parametrize(
    "field", ["Event", "trace_id", "errcode", "result", "detail", "version", "MsgType", "appid"]
)
@pytest.mark.not_for_coverage
def test_no_field_of_a_wrong_type_publishes(checking, field, wrong):
    assert is_success(checking.push(verdict("review", **{field: wrong})))
    assert is_held(checking)


def test_another_event_is_no_verdict_whatever_it_holds(forwarding):
    submit(forwarding)
    before = dict(forwarding.oss.objects)
    forwarding.push(verdict("risky", Event="wxa_media_checked"))
    assert forwarding.oss.objects == before
    assert len(forwarding.forwarded) == 1


@pytest.mark.parametrize("message", [b"", b"[]", b"null", b"<xml/>", b"\xff", b"{", b"[" * 20_000])
def test_a_message_that_is_no_object_is_not_ours(checking, log_lines, message):
    before = dict(checking.oss.objects)
    query, body = checking.wechat.push(message)
    assert is_success(checking.deliver(body, query=query))
    assert checking.oss.objects == before
    assert log_lines()[-1]["reason"] == NOTHING_OF_OURS


@pytest.mark.parametrize("trace", ["../decided/x", "a/b", "", 5, None, "x" * 129, "é"])
def test_no_trace_id_reaches_another_record(world, log_lines, trace):
    assert is_success(world.push(verdict(trace=trace)))
    assert world.oss.objects == {}
    assert log_lines()[-1]["reason"] == NOTHING_OF_OURS


# ---- foreign events ------------------------------------------------------------------------------


def test_a_foreign_event_is_a_success_without_a_forwarder(world, log_lines):
    assert is_success(world.push(FOREIGN))
    assert log_lines()[-1]["reason"] == NOTHING_OF_OURS


def test_a_foreign_event_is_forwarded_unchanged(forwarding):
    query, body = forwarding.wechat.push(FOREIGN)
    said, kind = '{"Encrypt": "é"}', "application/json; charset=utf-8"
    forwarding.forwarder = HttpResponse(200, said.encode(), {"content-type": kind})
    reply = forwarding.deliver(body, query=query, headers={"Content-Type": "application/json;charset=UTF-8"})
    assert (reply.status, reply.text, reply.headers["Content-Type"]) == (200, said, kind)
    ((url, sent, headers),) = forwarding.forwarded
    assert (url, sent) == (f"{FORWARD_URL}&{urlencode(query)}", body)
    assert headers == {"Content-Type": "application/json;charset=UTF-8", "x-wechat-push-hops": "1"}
    assert forwarding.budgets[-1] == 3.5


def test_the_raw_query_is_forwarded_byte_for_byte(environment, clock, profiles_file):
    bare = "https://business.example.com/wechat"
    world = world_of(environment, clock, profiles_file, WECHAT_PUSH_FORWARD_URL=bare)
    query, body = world.wechat.push(FOREIGN)
    raw = urlencode(query) + "&odd=%7e%2f"
    request = {"REQUEST_METHOD": "POST", "PATH_INFO": "/wechat-events", "QUERY_STRING": raw}
    request |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
    assert is_success(ask_wsgi(world.function, request))
    headers = {"Content-Type": "application/json", "x-wechat-push-hops": "1"}
    assert world.forwarded == [(f"{bare}?{raw}", body, headers)]


@pytest.mark.parametrize(
    ("content_type", "passed_on"),
    [
        ("text/xml", "text/xml; charset=utf-8"),
        ("Application/XML ; charset=gbk", "application/xml; charset=utf-8"),
        *((kind, "text/plain; charset=utf-8") for kind in ("text/html", "", None)),
    ],
)
def test_the_response_of_the_forwarder_is_relayed_and_is_no_page(forwarding, content_type, passed_on):
    headers = {"content-type": content_type, "set-cookie": "a=b", "x-other": "c"}
    forwarding.forwarder = HttpResponse(202, b"\xffok", {} if content_type is None else headers)
    reply = forwarding.push(FOREIGN)
    assert (reply.status, reply.text) == (202, "\ufffdok")
    assert own_headers(reply) == {"Content-Type": passed_on, **NOT_A_PAGE}


def test_an_error_of_the_forwarder_is_relayed(forwarding):
    forwarding.forwarder = HttpResponse(500, b"")
    assert forwarding.push(FOREIGN).status == 500


@pytest.mark.parametrize(
    ("forwarder", "why"),
    [
        (ExchangeFailed("ConnectionRefusedError"), "ConnectionRefusedError"),
        (ExchangeFailed("timed out"), "timed out"),
        (HttpResponse(200, b"x" * 70_000), "response over the size limit"),
        (HttpResponse(299, b""), "HTTP 299"),
        (HttpResponse(101, b""), "HTTP 101"),
    ],
)
def test_a_foreign_event_without_a_response_is_repeated(forwarding, log_lines, forwarder, why):
    forwarding.forwarder = forwarder
    reply = forwarding.push(FOREIGN)
    assert (reply.status, reply.json["error"]["code"]) == (503, "wechat_unavailable")
    assert reply.headers["Retry-After"] == "2"
    assert log_lines()[-1]["reason"] == f"WECHAT_PUSH_FORWARD_URL: {why}"


def test_a_forwarding_loop_ends(forwarding, log_lines):
    query, body = forwarding.wechat.push(FOREIGN)
    for hops in ("1", "11"):
        assert is_success(forwarding.deliver(body, query=query, headers={"X-Wechat-Push-Hops": hops}))
        assert forwarding.forwarded[-1][2]["x-wechat-push-hops"] == f"{hops}1"
    reply = forwarding.deliver(body, query=query, headers={"X-Wechat-Push-Hops": "111"})
    assert (reply.status, len(forwarding.forwarded)) == (503, 2)
    assert log_lines()[-1]["reason"] == "WECHAT_PUSH_FORWARD_URL: loop"


def test_our_own_verdict_is_not_forwarded(forwarding):
    submit(forwarding)
    assert is_success(forwarding.push(verdict()))
    assert forwarding.forwarded == []


def test_a_verdict_of_an_unknown_trace_id_is_stored_and_forwarded(forwarding, log_lines):
    forwarding.forwarder = HttpResponse(200, b"theirs")
    assert forwarding.push(verdict()).text == "theirs"
    assert len(forwarding.forwarded) == 1
    assert f"held/.verdicts/{TRACE}" in forwarding.oss.objects
    forwarding.oss.objects.clear()
    forwarding.forwarder = ExchangeFailed("TimeoutError")
    assert is_success(forwarding.push(verdict()))
    assert f"held/.verdicts/{TRACE}" in forwarding.oss.objects
    assert log_lines()[-1]["reason"] == "WECHAT_PUSH_FORWARD_URL: TimeoutError"


def test_forged_pushes_are_never_forwarded(forwarding):
    query, body = Wechat("AnotherToken", AES_KEY, APPID).push(FOREIGN)
    for sent in (body, json.dumps(FOREIGN)):
        assert forwarding.deliver(sent, query=query).status == 403
    assert forwarding.deliver(method="GET", query={**query, "echostr": "1"}).status == 403
    assert forwarding.forwarded == []


def test_no_secret_is_in_a_response_or_in_the_log(forwarding, caplog):
    submit(forwarding)
    shown = ""
    for forwarder in (ExchangeFailed("TimeoutError"), HttpResponse(200, b"ok")):
        forwarding.forwarder = forwarder
        for event in (FOREIGN, verdict(trace="another"), verdict()):
            reply = forwarding.push(event)
            shown += reply.text + json.dumps(reply.headers)
    query, body = Wechat("AnotherToken", AES_KEY, APPID).push(FOREIGN)
    shown += forwarding.deliver(body, query=query).text
    for secret in ("SecretCanary", OPENID, "msg_signature="):
        assert secret not in shown + caplog.text
