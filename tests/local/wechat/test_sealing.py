"""Signing and sealing against the vectors of WeChat's own page on the message push."""

import json
from pathlib import Path

import pytest

from local.wechat.sealing import seal, signature_of

VECTORS = Path(__file__).parents[2] / "vectors" / "wechat_push.json"
TOKEN, AES_KEY, APP_ID = "AAAAA", "A" * 43, "wxba5fad812f8e6fb9"
MESSAGE = (
    b'{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,'
    b'"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}'
)
SEALED = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6Js"
    "XUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8Ea"
    "jAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04="
)
REPLY = "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="


def test_the_pages_message_is_sealed_byte_for_byte():
    assert len(MESSAGE) == 167 and json.loads(MESSAGE)
    assert seal(MESSAGE, APP_ID, AES_KEY, b"a8eedb185eb2fecf") == SEALED


def test_the_pages_reply_is_sealed_byte_for_byte():
    assert seal(b'{"demo_resp":"good luck"}', APP_ID, AES_KEY, b"707722b803182950") == REPLY


def test_a_revocation_is_sealed_byte_for_byte():
    vector = json.loads(VECTORS.read_text("utf-8"))["revoke"]
    message, random = vector["message"].encode(), vector["random"].encode()
    assert seal(message, APP_ID, AES_KEY, random) == vector["encrypt"]
    signed = (vector["timestamp"], vector["nonce"])
    assert signature_of(TOKEN, *signed) == vector["signature"]
    assert signature_of(TOKEN, *signed, vector["encrypt"]) == vector["msg_signature"]


@pytest.mark.parametrize(
    ("parts", "signature"),
    [
        (["1714036504", "1514711492"], "f464b24fc39322e44b38aa78f5edd27bd1441696"),
        (["1714037059", "486452656"], "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        (["1714112445", "415670741", SEALED], "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"),
        (["1713424427", "415670741", REPLY], "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"),
    ],
)
def test_signs_as_the_page_does_in_any_order(parts, signature):
    assert signature_of(TOKEN, *parts) == signature_of(*parts, TOKEN) == signature
