"""uploads.callback_verification: a callback is refused unless OSS signed it and its ticket fits."""

from urllib.parse import quote_plus, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.app import load_settings
from function.auth.signed_tokens import RECEIPT, read_token
from function.errors import BadRequest, Forbidden
from function.http.gateway import Request
from function.uploads.callback_verification import verify_callback
from tests.function.uploads.conftest import SECRET, forged_ticket
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_refuses_a_signature_of_another_key(upload, call):
    assert call(upload().body(), signing_key="rsa_other").outcome == (403, "forbidden")


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(b"size=1024", b"size=01024"),
        lambda body: body.replace(b"%2F", b"%2f"),
        lambda body: b"&".join(sorted(body.split(b"&"))),
        lambda body: unquote_to_bytes(body),
        lambda body: quote_plus(body, safe="=&").encode(),
    ],
)
def test_refuses_a_changed_or_re_encoded_body(upload, call, change):
    signed = upload().body()
    assert change(signed) != signed
    answer = call(change(signed), signed_body=signed)
    assert answer.status in (400, 403)
    assert answer.code in ("bad_request", "forbidden")


@cases("forged")
def test_refuses_a_ticket_that_is_not_of_this_upload(upload, call, clock, key_host, forged):
    asked = upload()
    if isinstance(forged, dict):
        parts = {"key": asked.key, "head": asked.key[:-1], "upper": asked.key.upper()}
        claims = {name: value.format(**parts) for name, value in forged.items() if isinstance(value, str)}
        forged = forged_ticket(clock, **{**forged, **claims})
    assert call(asked.body(ticket=forged)).outcome == (403, "forbidden")


def test_a_ticket_made_by_hand_passes_so_the_forgeries_fail_for_their_own_reason(upload, call, clock):
    asked = upload()
    assert call(asked.body(ticket=forged_ticket(clock, key=asked.key))).status == 200


def test_a_ticket_or_a_receipt_opens_no_session(upload, call, instance, function):
    asked = upload()
    receipt = call(asked.body()).json["receipt"]
    wechat = instance(
        **{**function.environ, "CALLER_AUTH": "wechat", "WECHAT_APPID": "wx1", "WECHAT_SECRET": "s"}
    )
    for token in (asked.ticket, receipt):
        answer = wechat.ask(body={"filename": "a.png"}, headers={"Authorization": f"Bearer {token}"})
        assert answer.outcome == (401, "unauthorized")


def test_a_ticket_ends_an_hour_after_its_form(upload, call, clock):
    body = upload().body()
    clock.tick(seconds=300 + 3600 - 1)
    assert call(body).status == 200
    clock.tick(seconds=1)
    assert call(body).outcome == (403, "forbidden")


@cases("changes", "outcome")
def test_a_callback_outside_the_form_conditions_is_refused(upload, call, changes, outcome):
    status, _, code = outcome.partition(" ")
    assert call(upload().body(**changes)).outcome == (int(status), code)


@pytest.mark.parametrize("key", ["test/", "Test/a", "test", "tests/a", "", "/test/a", "other/test/a"])
def test_callback_refuses_objects_outside_the_page_s_folder(upload, call, key):
    assert call(upload("page", "a").body(object=key)).outcome == (403, "forbidden")


def test_a_ticket_of_a_removed_profile_is_forbidden(upload, call, instance, function, profiles_file):
    body = upload("other").body()
    text = '[default]\nkey = "u/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\ncallback = true'
    changed = instance(function.send, **{**function.environ, "PROFILES_FILE": profiles_file(text)})
    assert call(body, of=changed).outcome == (403, "forbidden")


@cases("body")
def test_refuses_a_body_that_our_field_did_not_ask_for_even_when_oss_signed_it(upload, call, body):
    good = upload().body().decode()
    body = body.replace("{good}", good).replace("{unticketed}", good.rpartition("&ticket=")[0])
    answer = call(body.encode("latin-1"))
    assert answer.status in (400, 403, 413)
    assert answer.code in ("bad_request", "forbidden", "too_large")


@pytest.mark.parametrize("twice", [b"etag=x", b"bucket=my-bucket", b"size=1024", b"size=", b"x=1&x=1"])
def test_refuses_a_body_that_two_readers_could_read_differently(upload, call, twice):
    assert call(upload().body() + b"&" + twice).outcome == (400, "bad_request")


@pytest.mark.parametrize("path", ["/\ud800/callback", "/\udcff/callback", "/%FF/callback", "/\x00/callback"])
def test_a_path_that_is_no_text_is_only_a_wrong_path(upload, call, path):
    assert call(upload().body(), path=path, signed_path="/callback").outcome == (403, "forbidden")


def test_callback_is_refused_where_no_callback_is_configured(instance, upload, call, key_host):
    assert call(upload().body(), of=instance(key_host)).outcome == (403, "forbidden")
    assert key_host.calls == []


def test_all_callback_refusals_have_one_message(upload, call, log_lines):
    wrong_key = call(upload().body(), signing_key="rsa_other").json["error"]["message"]
    wrong_object = call(upload().body(object="x")).json["error"]["message"]
    assert wrong_key == wrong_object == call(upload().body(ticket="x")).json["error"]["message"]
    assert len({line["reason"] for line in log_lines() if line["status"] == 403}) == 3


FIELDS = ("bucket", "object", "etag", "size", "mimeType", "width", "height", "format", "reqId", "ticket", "x")


@effort(max_examples=40)
@given(
    body=st.binary(max_size=60)
    | st.lists(st.tuples(st.sampled_from(FIELDS), st.text("aZ0/%+&=-é", max_size=6)), max_size=12).map(
        lambda pairs: "&".join(f"{name}={value}" for name, value in pairs).encode()
    ),
    headers=st.dictionaries(
        st.sampled_from(["authorization", "x-oss-pub-key-url", "content-type", "content-md5"]),
        st.none() | st.text(max_size=20) | st.binary(max_size=30).map(lambda raw: raw.hex()),
    ),
)
def test_whatever_arrives_is_refused_as_documented(call, key_host, body, headers):
    key_host.calls.clear()
    answer = call(body, headers=headers)
    assert answer.status in (400, 403)
    assert answer.code in ("bad_request", "forbidden")
    assert key_host.calls == []


@pytest.fixture
def verify(function, clock):
    """Only what stands before the network: no key can be found."""

    def ask(body=b"", **headers):
        request = Request("POST", "/callback", {}, "", headers, body, "203.0.113.7")
        return verify_callback(request, load_settings(function.environ), None, clock())

    return ask


@cases("headers", "name")
def test_the_header_that_is_missing_or_not_base64_is_named(verify, headers, name):
    with pytest.raises(BadRequest) as raised:
        verify(**headers)
    assert f"The {name} header" in str(raised.value)


def test_a_foreign_address_is_refused_before_body_and_ticket_are_read(verify):
    with pytest.raises(Forbidden) as raised:
        verify(b"\xff", **{"authorization": "b2s=", "x-oss-pub-key-url": "aHR0cDovL2V2aWw="})
    assert raised.value.reason == "the address of the public key is not OSS's"


@pytest.mark.parametrize(("fields", "status"), [(64, 200), (65, 400)])
def test_a_body_of_64_fields_is_read_and_a_longer_one_is_not(upload, call, fields, status):
    body = upload().body()
    more = fields - (body.count(b"&") + 1)
    assert call(body + b"".join(b"&x%d=1" % number for number in range(more))).status == status


@pytest.mark.parametrize("size", ["9", "11", str(2 * 1024**2)])
def test_a_forged_callback_gets_no_receipt_for_more_than_the_announced_bytes(ask_upload, call, size):
    asked = ask_upload(size=10)
    assert call(asked.body(size="10")).status == 200
    assert call(asked.body(size=size)).outcome == (403, "forbidden")


@pytest.mark.parametrize("profile", ["default", "page"])
def test_markup_after_a_type_reaches_neither_response_nor_receipt(upload, call, clock, profile):
    answer = call(upload(profile).body(mimeType='image/png;<script>alert(1)</script>"\r\n'))
    claims = read_token(answer.json["receipt"], audience=RECEIPT, secrets=[SECRET], now=clock())
    assert answer.json["mimeType"] == claims["mimeType"] == "image/png"


@pytest.mark.parametrize("claims", [{"sizes": None}, {"type": None}, {"sizes": [1, 1023]}], ids=str)
def test_a_ticket_without_type_or_sizes_admits_no_upload(upload, call, clock, claims):
    asked = upload()
    forged = forged_ticket(clock, key=asked.key, **claims)
    assert call(asked.body(ticket=forged)).outcome == (403, "forbidden")


@cases("authorization", "outcome")
def test_refuses_a_missing_or_malformed_signature(upload, call, authorization, outcome):
    answer = call(upload().body(), headers={"authorization": authorization})
    assert f"{answer.status} {answer.code}" == outcome


@pytest.mark.parametrize(("length", "is_read"), [(1024, True), (1028, False)])
def test_a_header_of_1024_characters_is_read_and_a_longer_one_is_not(verify, length, is_read):
    error = Forbidden if is_read else BadRequest
    with pytest.raises(error):
        verify(**{"authorization": "A" * length, "x-oss-pub-key-url": "aHR0cDovL2V2aWw="})


@pytest.mark.parametrize("claims", [{"key": ""}, {}, {"folder": ""}])
def test_no_ticket_is_for_an_object_without_a_name(upload, call, clock, claims):
    forged = forged_ticket(clock, **claims)
    assert call(upload().body(ticket=forged, object="")).outcome == (403, "forbidden")
