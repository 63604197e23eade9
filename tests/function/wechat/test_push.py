"""wechat.push: genuine pushes, and forged ones."""

import hmac
import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from function.errors import Forbidden
from function.wechat.push import is_signed, open_push, refused_check
from tests.support.wechat import Wechat, sha1_of

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wechat_push.json").read_text("utf-8"))
SECURE = VECTORS["secure"]
KNOWN = {name: VECTORS[name] for name in ("token", "aes_key", "appid")}
QUERY = {name: SECURE[name] for name in ("timestamp", "nonce", "signature", "msg_signature")}
BODY = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": SECURE["encrypt"]}).encode()
UNSIGNED = "msg_signature does not fit WECHAT_PUSH_TOKEN, or is missing"
RANDOM = b"0123456789abcdef"
WECHAT = Wechat("a-token-of-the-console", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx0123456789abcdef")


def opened(query=QUERY, body=BODY, **changes):
    return open_push(query, body, **{**KNOWN, **changes})


def opened_of_ours(query, body):
    return open_push(query, body, token=WECHAT.token, aes_key=WECHAT.aes_key, appid=WECHAT.appid)


def refusal(*args, of=opened, **changes):
    """The reason of the refusal."""
    with pytest.raises(Forbidden) as refused:
        of(*args, **changes)
    return refused.value.reason.removeprefix("push refused: ")


def signed(encrypted, pusher=WECHAT):
    return pusher.query(encrypted), json.dumps({"Encrypt": encrypted}).encode()


@pytest.mark.parametrize("case", ["secure", "reply", "revoke"])
def test_wechat_s_own_messages_are_decrypted(case):
    sent = VECTORS[case]
    query = {name: sent[name] for name in ("timestamp", "nonce", "msg_signature")}
    assert opened(query, json.dumps({"Encrypt": sent["encrypt"]}).encode()).decode() == sent["message"]
    assert opened().decode() == SECURE["message"]


@pytest.mark.parametrize("case", ["check", "plain", "secure", "revoke"])
def test_wechat_s_own_signatures_are_valid(case):
    assert is_signed(VECTORS[case], VECTORS["token"])
    assert not is_signed(VECTORS[case], "BBBBB")
    assert not is_signed({**VECTORS[case], "timestamp": "1714036505"}, VECTORS["token"])


@pytest.mark.parametrize("length", [*range(70), 1000])
def test_a_message_of_any_length_comes_through(length):
    message = b"m" * length
    assert opened_of_ours(*WECHAT.push(message)) == message


@pytest.mark.parametrize(
    "changes",
    [{"msg_signature": text} for text in (..., "", "0" * 40, "é" * 40, "\ud800", SECURE["signature"])]
    + [{"msg_signature": SECURE["msg_signature"].upper()}]
    + [{"msg_signature": f"{SECURE['msg_signature']},{SECURE['msg_signature']}"}]
    + [{"timestamp": ...}, {"timestamp": "1714112446"}, {"nonce": ...}, {"nonce": "\ud800"}],
    ids=str,
)
def test_a_wrong_msg_signature_is_refused(changes):
    query = {name: value for name, value in {**QUERY, **changes}.items() if value is not ...}
    assert refusal(query) == UNSIGNED
    assert refusal(token="BBBBB") == UNSIGNED


def test_a_signature_is_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(hmac, "compare_digest", lambda *both: compared.append(both) or True)
    opened()
    assert compared[0] == (SECURE["msg_signature"].encode(),) * 2
    assert compared[1] == (KNOWN["appid"].encode(),) * 2


@pytest.mark.parametrize("block", range(14))
def test_altered_ciphertext_is_refused_at_every_block(block):
    sealed = bytearray(b64decode(SECURE["encrypt"]))
    assert len(sealed) == 14 * 16
    sealed[16 * block] ^= 1
    assert refusal(QUERY, json.dumps({"Encrypt": b64encode(sealed).decode()}).encode()) == UNSIGNED


UNSEALED = {
    "no padding": RANDOM + bytes(4) + b"wx0123456789" + bytes(32),
    "33 bytes of padding": bytes(31) + b"\x21" + b"\x21" * 32,
    "uneven padding": bytes(29) + b"\x03\x02\x03",
    "nothing but padding": b"\x10" * 16,
    "more padding than text": b"\x20" * 16,
    "too short": b"\x01" * 16,
    "huge length": RANDOM + b"\xff\xff\xff\xff" + b"wx0123456789" + b"\x20" * 32,
    "length one too long": RANDOM + (13).to_bytes(4) + b"wx0123456789" + b"\x20" * 32,
}


@pytest.mark.parametrize("plain", UNSEALED.values(), ids=UNSEALED)
def test_a_signed_push_with_invalid_content_is_refused(plain):
    why = "it cannot be decrypted with WECHAT_PUSH_AES_KEY"
    assert refusal(*signed(WECHAT.encrypt(plain)), of=opened_of_ours) == why
    # As when the Token is known and the EncodingAESKey is not.
    stranger = Wechat(WECHAT.token, "Z" * 43, WECHAT.appid)
    assert refusal(*stranger.push(b"{}"), of=opened_of_ours) == why


SEALED = WECHAT.seal(b"{}")


@pytest.mark.parametrize(
    "encrypted",
    ["", "!", "AAAA", "A", "é", "AAAA AAAAAAAAAAAAAAAAAAAAA=", "\ud800", f"{SEALED[:8]} {SEALED[8:]}"],
    ids=ascii,
)
def test_incomplete_blocks_are_refused(encrypted):
    query = {**WECHAT.query("x"), "msg_signature": _signature(encrypted)}
    why = refusal(query, json.dumps({"Encrypt": encrypted}).encode(), of=opened_of_ours)
    assert why == "the encrypted text has no whole number of blocks"


def test_a_missing_parameter_counts_as_empty_in_the_signature():
    assert is_signed({"signature": sha1_of("AAAAA")}, "AAAAA")
    assert not is_signed({"signature": sha1_of("AAAAA", "~")}, "AAAAA")


def _signature(encrypted):
    import hashlib

    parts = sorted([WECHAT.token, WECHAT.timestamp, WECHAT.nonce, encrypted])
    return hashlib.sha1("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


@pytest.mark.parametrize("appid", ["wxba5fad812f8e6fb8", "", "wx0123456789abcdef0"])
def test_a_push_for_another_mini_program_is_refused(appid):
    stranger = Wechat(WECHAT.token, WECHAT.aes_key, appid)
    empty = WECHAT.encrypt(RANDOM + bytes(4) + b"\x0c" * 12)
    for push_of_another in (stranger.push(b"{}"), signed(empty)):
        why = refusal(*push_of_another, of=opened_of_ours)
        assert why == "it is for another AppID than WECHAT_APPID"


def test_in_compatible_mode_only_the_encrypted_message_counts():
    query, body = WECHAT.push(b'{"Event": "sealed"}', Event="in plain text", trace_id="forged")
    assert opened_of_ours(query, body) == b'{"Event": "sealed"}'


@pytest.mark.parametrize("case", ["secure", "revoke"])
def test_a_body_in_xml_is_read_as_one_in_json(case):
    sent = VECTORS[case]
    query = {name: sent[name] for name in ("timestamp", "nonce", "msg_signature")}
    body = (
        f"<xml><ToUserName><![CDATA[gh]]></ToUserName><Encrypt><![CDATA[{sent['encrypt']}]]></Encrypt></xml>"
    )
    assert opened(query, body.encode()).decode() == sent["message"]
    assert refusal({**query, "timestamp": "1"}, body.encode()) == UNSIGNED


REFUSED = {
    "it is not encrypted; choose the secure mode in WeChat's console": [
        b'{"MsgType": "event", "Event": "wxa_media_check", "trace_id": "t", "result": {"suggest": "pass"}}',
        *(b'{"Encrypt": null}', b'{"Encrypt": 5}', b'{"Encrypt": ["x"]}', b"{}"),
        *(b"<xml><Encrypt><a/></Encrypt></xml>", b"<xml><Encrypt>x</Encrypt><Encrypt/></xml>"),
    ],
    "neither JSON nor XML": [
        *(b"\n <xml/>", b"<!DOCTYPE a><xml><Encrypt>x</Encrypt></xml>"),
        *(b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 60_000, b"a=b"),
    ],
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_body_that_is_not_encrypted_is_refused(why):
    assert [refusal(QUERY, body) for body in REFUSED[why]] == [why] * len(REFUSED[why])


def test_a_refused_url_check_names_the_setting():
    assert refused_check().code == "forbidden"
    assert refused_check().reason == "push refused: signature does not fit WECHAT_PUSH_TOKEN, or is missing"
