"""An RPC request with a form body: signed by the SDK, sent by the function's own client."""

import hmac
import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from function.http.client import ExchangeFailed, HttpResponse
from function.sts import aliyun_sdk
from function.sts.credentials import AccessKeys

VECTORS = json.loads(Path(__file__).parents[1].joinpath("vectors/rpc_v1.json").read_text("utf-8"))
VECTOR = VECTORS["image_moderation"]
OWN = AccessKeys(*(VECTOR[name] for name in ("access_key_id", "access_key_secret", "security_token")))


@pytest.fixture
def sent(monkeypatch):
    """The requests that are sent, at the time and with the nonce of the vector."""
    aliyun_sdk.prepare()
    from aliyunsdkcore.utils import parameter_helper

    monkeypatch.setattr(parameter_helper, "get_iso_8061_date", lambda: VECTOR["timestamp"])
    monkeypatch.setattr(parameter_helper, "get_uuid", lambda: VECTOR["nonce"])
    return []


def post(sent, own=OWN, response=None, **changes):
    def send(method, url, **options):
        sent.append((method, url, options))
        if isinstance(response, Exception):
            raise response
        return response or HttpResponse(200, b"{}")

    fields = {**VECTOR["fields"], **changes}
    where = {"endpoint": VECTOR["endpoint"], "region": VECTOR["region"]}
    return aliyun_sdk.post(
        VECTOR["action"], VECTOR["version"], fields, **where, own=own, send=send, seconds=2.5, max_bytes=9
    )


def test_the_library_is_prepared_before_it_signs(sent):
    aliyun_sdk._import_once.cache_clear()
    post(sent)
    assert aliyun_sdk._import_once.cache_info().currsize == 1


def signature_in(sent):
    return dict(parse_qsl(urlsplit(sent[-1][1]).query))["Signature"]


def test_a_request_is_signed_as_in_the_vector(sent):
    post(sent)
    (method, url, options) = sent[0]
    assert (method, url) == ("POST", f"{VECTOR['endpoint']}{VECTOR['target']}")
    assert options == {
        "body": VECTOR["body"].encode(),
        "headers": {"Content-Type": "application/x-www-form-urlencoded"},
        "budget_seconds": 2.5,
        "max_bytes": 9,
    }


def test_the_vector_is_what_hmac_makes_of_its_string_to_sign(sent):
    post(sent)
    secret = f"{VECTOR['access_key_secret']}&".encode()
    digest = hmac.digest(secret, VECTOR["string_to_sign"].encode(), "sha1")
    assert signature_in(sent) == b64encode(digest).decode()


def test_a_request_without_a_response_is_not_repeated(sent):
    with pytest.raises(ExchangeFailed):
        post(sent, response=ExchangeFailed("timed out"))
    assert len(sent) == 1


def test_each_request_has_a_nonce_of_its_own():
    asked = []
    for _ in range(2):
        post(asked)
    nonces = {dict(parse_qsl(urlsplit(url).query))["SignatureNonce"] for _, url, _ in asked}
    assert len(nonces) == 2
