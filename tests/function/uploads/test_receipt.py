"""uploads.receipt: the response to a good callback."""

from datetime import timedelta
from urllib.parse import unquote

import pytest

from function.auth.signed_tokens import RECEIPT, SESSION, TICKET, issue_token, read_token
from tests.function.uploads.conftest import SECRET, SETTINGS, claims_of
from tests.support.cases import cases_beside, profile_toml, table_beside

cases = cases_beside(__file__)

NAMES = table_beside(__file__)["NAMES"]
HIDING_NAMES = table_beside(__file__)["HIDING_NAMES"]


def test_response_and_receipt_describe_the_stored_object(ask_upload, call, clock):
    asked = ask_upload()
    answer = call(asked.body())
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    told = answer.json
    upload_id = asked.key.rpartition("/")[2].removesuffix(".png")
    facts = {"key": asked.key, "size": 1024, "etag": "D41D8CD98F00B204E9800998ECF8427E"}
    facts["mimeType"] = "image/png"
    receipt = told.pop("receipt")
    about = {"url": f"https://my-bucket.oss-cn-hangzhou.aliyuncs.com/{asked.key}", "uploadId": upload_id}
    assert told == {"status": "ok", **facts, "width": 640, "height": 480, **about}
    who = {"sub": "public", "owner": "public", "bucket": "my-bucket", "profile": "default"}
    now = int(clock().timestamp())
    about = {"jti": upload_id, "seen": False, "aud": RECEIPT, "iat": now, "exp": now + 86400}
    assert claims_of(receipt, clock) == {**facts, **who, **about}


LABELLED = profile_toml("default", "uploads", confirm=True, callback=True, ai_label=True)


@pytest.mark.parametrize(("fields", "label"), [({}, ...), ({"aiDeclared": True}, "declared")])
def test_a_callback_says_what_was_declared_and_nothing_about_the_bytes(
    instance, profiles_file, key_host, ask_upload, call, clock, fields, label
):
    function = instance(key_host, **SETTINGS, PROFILES_FILE=profiles_file(LABELLED))
    said = call(ask_upload(of=function, **fields).body(), of=function).json
    short = claims_of(said["receipt"], clock).get("aiLabel", ...)
    assert short == (... if label is ... else {"label": 2, "source": label})
    assert said.get("aiLabel", ...) == short


RECEIPT_SECRET = "receipt-secret-canary-0123456789abcd"


def test_a_receipt_secret_signs_no_session_and_no_ticket(function, instance, good_sts, upload, call, clock):
    """Nor a ticket: with a secret of its own for receipts, a backend broken into opens nothing here."""
    app = {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx1", "WECHAT_SECRET": "s"}
    theirs = instance(function.send, **{**function.environ, **app, "RECEIPT_SECRET": RECEIPT_SECRET})

    def session(secret):
        claims = {"sub": "victim", "app": "wx1", "bucket": "my-bucket"}
        made = issue_token(claims, audience=SESSION, secrets=[secret], now=clock(), life=timedelta(hours=1))
        return theirs.ask(body={"filename": "a.png"}, headers={"Authorization": f"Bearer {made}"}).status

    asked = upload(of=theirs)
    receipt = call(asked.body(), of=theirs).json["receipt"]
    assert read_token(receipt, audience=RECEIPT, secrets=(RECEIPT_SECRET,), now=clock())
    assert (session(RECEIPT_SECRET), session(SECRET)) == (401, 200)
    claims = read_token(asked.ticket, audience=TICKET, secrets=(SECRET,), now=clock())
    forged = issue_token(
        claims, audience=TICKET, secrets=[RECEIPT_SECRET], now=clock(), life=timedelta(hours=1)
    )
    assert call(asked.body(ticket=forged), of=theirs).status == 403


@pytest.mark.parametrize("name", NAMES)
def test_any_object_name_comes_through_as_it_is(upload, call, clock, name):
    answer = call(upload("page", name).body())
    assert answer.status == 200
    assert answer.json["key"] == claims_of(answer.json["receipt"], clock)["key"] == f"test/{name}"
    origin, _, path = answer.json["url"].partition(".com/")
    assert origin == "https://my-bucket.oss-cn-hangzhou.aliyuncs"
    assert unquote(path) == f"test/{name}"
    assert path.isascii()
    assert not set(path) & set(" ?#&+\"'\\%;\n") - {"%"}


@cases("reported", "given")
def test_missing_dimensions_are_null(upload, call, reported, given):
    answer = call(upload().body(imageInfo_width=reported, imageInfo_height=reported, imageInfo_format=""))
    assert (answer.json["width"], answer.json["height"]) == (given, given)


@pytest.mark.parametrize("name", HIDING_NAMES)
def test_a_name_that_climbs_hides_or_turns_around_gets_no_receipt(upload, call, name):
    assert call(upload("page", name).body()).outcome == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "signed"),
    [
        *((path, path) for path in ("/prefix/callback", "/上传 文件/callback", "/callback/")),
        ("/a%20b/callback", "/a b/callback"),
    ],
)
def test_the_signature_covers_the_requested_path_decoded(upload, call, path, signed):
    assert call(upload().body(), path=path, signed_path=signed).status == 200


def test_the_signature_covers_the_query(upload, call):
    assert call(upload().body(), query={"id": "1", "index": "2"}, signed_query="id=1&index=2").status == 200


def test_an_http_key_url_is_fetched_over_https(upload, call, key_host):
    assert call(upload().body(), address="http://gosspublic.alicdn.com/callback_pub_key_v1.pem").status == 200
    assert key_host.calls == [("GET", "https://gosspublic.alicdn.com/callback_pub_key_v1.pem")]
    assert key_host.options == {"budget_seconds": 2.0, "max_bytes": 16 * 1024}


@pytest.mark.not_for_coverage
def test_a_thousand_replays_get_the_same_response(upload, call, clock, key_host):
    body = upload().body()
    first = call(body)
    assert first.status == 200
    for _ in range(1000):
        clock.tick(seconds=3)
        assert call(body, headers={"user-agent": None}).text == first.text
    assert len(key_host.calls) == 1
