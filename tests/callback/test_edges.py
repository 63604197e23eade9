"""The last value that is taken and the first that is not, and what the log says; found by mutation."""

import json
from base64 import b64decode
from datetime import timedelta
from urllib.parse import quote

import pytest
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from function.errors import BadRequest, Forbidden, Misconfigured, OssKeyUnavailable
from function.http import Request
from function.key_template import KeyTemplate
from function.limits import Limits
from function.outgoing import Answer
from function.profiles import Profile
from function.receipts.callback import verify_callback
from function.receipts.oss_keys import OssPublicKeys, is_signed_by_oss
from function.receipts.ticket import callback_field
from function.receipts.webhook import tell_business
from function.settings import read_settings

ORIGIN = "https://gosspublic.alicdn.com"


@pytest.fixture
def address():
    from base64 import b64encode

    return lambda name: b64encode(f"{ORIGIN}/{name}".encode()).decode()


@pytest.fixture
def verify(function, clock):
    """Only what stands before the network: no key can be found."""

    def ask(body=b"", **headers):
        request = Request("POST", "/callback", {}, "", headers, body, "203.0.113.7")
        return verify_callback(request, read_settings(function.environ), None, clock())

    return ask


def fetched(key_host):
    return [url.rpartition("/")[2] for _, url in key_host.calls]


def test_eight_keys_are_kept_and_the_ninth_makes_room(key_host, address, clock):
    keys = OssPublicKeys(ORIGIN, key_host, Limits())
    names = [f"k{number}" for number in range(8)]
    for name in (*names, *names):
        keys.find(address(name), ticket_id=address(name), now=clock())
    assert fetched(key_host) == names
    for name in ("k8", "k0", "k8"):
        keys.find(address(name), ticket_id=address(name), now=clock())
    assert fetched(key_host) == [*names, "k8", "k0"]


@pytest.mark.parametrize("error", [ValueError, TypeError, UnsupportedAlgorithm])
def test_whatever_the_library_says_of_a_key_it_is_no_key(key_host, address, clock, monkeypatch, error):
    def load(_data):
        raise error("no key")

    monkeypatch.setattr(serialization, "load_pem_public_key", load)
    with pytest.raises(OssKeyUnavailable):
        OssPublicKeys(ORIGIN, key_host, Limits()).find(address("k"), ticket_id=address("k"), now=clock())


@pytest.mark.parametrize(("length", "is_read"), [(1024, True), (1028, False)])
def test_a_header_of_1024_characters_is_read_and_a_longer_one_is_not(verify, length, is_read):
    error = Forbidden if is_read else BadRequest
    with pytest.raises(error):
        verify(**{"authorization": "A" * length, "x-oss-pub-key-url": "aHR0cDovL2V2aWw="})


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({}, "authorization"),
        ({"authorization": "!"}, "authorization"),
        ({"authorization": "b2s="}, "x-oss-pub-key-url"),
        ({"authorization": "b2s=", "x-oss-pub-key-url": "!"}, "x-oss-pub-key-url"),
    ],
)
def test_the_header_that_is_missing_or_not_base64_is_named(verify, headers, name):
    with pytest.raises(BadRequest) as raised:
        verify(**headers)
    assert f"The {name} header" in str(raised.value)


def test_a_foreign_address_is_refused_before_body_and_ticket_are_read(verify):
    with pytest.raises(Forbidden) as raised:
        verify(b"\xff", **{"authorization": "b2s=", "x-oss-pub-key-url": "aHR0cDovL2V2aWw="})
    assert raised.value.reason == "the address of the public key is not OSS's"


def test_a_second_blank_value_does_not_hide_a_field_named_twice(upload, call):
    one = upload()
    assert call(one.body()).status == 200
    assert call(one.body() + b"&size=").status == 400
    assert call(b"object=&" + one.body()).status == 400


@pytest.mark.parametrize(("fields", "status"), [(64, 200), (65, 400)])
def test_a_body_of_64_fields_is_read_and_a_longer_one_is_not(upload, call, fields, status):
    body = upload().body()
    more = fields - (body.count(b"&") + 1)
    assert call(body + b"".join(b"&x%d=1" % number for number in range(more))).status == status


def test_parameters_of_a_type_do_not_count(upload, call):
    assert call(upload().body(mimeType="image/png; charset=x")).status == 200
    assert call(upload().body(mimeType="image/PNG ;q=1")).status == 200
    assert call(upload().body(mimeType="application/pdf;q=1")).status == 200
    assert call(upload().body(mimeType="text/html; image/png")).status == 403


def test_what_oss_does_not_report_is_empty_in_the_receipt(upload, call):
    body = upload("page", "x.bin").body()
    left = b"&".join(part for part in body.split(b"&") if not part.startswith((b"etag=", b"mimeType=")))
    answer = call(left).json
    assert (answer["etag"], answer["mimeType"]) == ("", "")


def test_only_quotes_are_taken_off_an_etag(upload, call):
    assert call(upload().body(etag='"~E~"')).json["etag"] == "~E~"


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


@pytest.fixture
def field(function, clock):
    """The callback field of a key of this many characters."""
    settings = read_settings(function.environ)
    key_template = KeyTemplate("a/{id}")
    profile = Profile("p", key_template, 1, 1, ("*/*",), timedelta(seconds=60), False, True, "v4", ())

    def make(length):
        key = "a/" + "k" * (length - 2)
        return callback_field(settings, profile, key, "i", subject="u", owner="owner", now=clock())

    return make


def test_a_field_of_5_kb_is_sent_and_a_longer_one_is_misconfigured(field):
    lengths = {}
    for length in range(1700, 2600):
        try:
            lengths[len(field(length))] = length
        except Misconfigured:
            break
    # base64 comes in steps of four characters, so this is the last that fits.
    assert max(lengths) == 5120
    with pytest.raises(Misconfigured):
        field(length + 1)


def test_the_field_is_json_without_a_blank(field):
    assert b" " not in b64decode(field(20)).replace(b"application/x-www-form-urlencoded", b"")
    json.loads(b64decode(field(20)))


def test_a_signature_that_does_not_fit_is_exactly_false(key_host):
    key = serialization.load_pem_public_key(key_host.key)
    assert isinstance(key, RSAPublicKey)
    assert is_signed_by_oss(key, b"x", path=quote("/callback"), raw_query="", body=b"") is False
