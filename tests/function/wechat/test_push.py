"""wechat.push: genuine pushes, and forged ones."""

import json
import re
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from function.errors import Forbidden
from function.wechat import push
from function.wechat.push import is_signed, open_push, refused_check
from tests.support.cases import cases_beside
from tests.support.wechat import Wechat, sha1_of

cases = cases_beside(__file__)

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "wechat_push.json").read_text("utf-8"))
SECURE = VECTORS["secure"]
KNOWN = {name: VECTORS[name] for name in ("token", "aes_key", "appid")}
QUERY = {name: SECURE[name] for name in ("timestamp", "nonce", "signature", "msg_signature")}
BODY = json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": SECURE["encrypt"]}).encode()
WECHAT = Wechat("a-token-of-the-console", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wx0123456789abcdef")


def opened(query=QUERY, body=BODY, **changes):
    return open_push(query, body, **{**KNOWN, **changes})


def opened_of_ours(query, body):
    return open_push(query, body, token=WECHAT.token, aes_key=WECHAT.aes_key, appid=WECHAT.appid)


def refusal(*args, of=opened, **changes):
    with pytest.raises(Forbidden) as refused:
        of(*args, **changes)
    assert refused.value.message == "This does not come from WeChat."
    return refused.value.reason


def signed(encrypted, pusher=WECHAT):
    return pusher.query(encrypted), json.dumps({"Encrypt": encrypted}).encode()


def test_wechat_s_own_push_is_opened():
    assert opened().decode() == SECURE["message"]


def test_wechat_s_own_reply_is_opened():
    reply = VECTORS["reply"]
    query = {name: reply[name] for name in ("timestamp", "nonce", "msg_signature")}
    body = json.dumps({"Encrypt": reply["encrypt"]}).encode()
    assert opened(query, body).decode() == reply["message"]


@pytest.mark.parametrize("case", ["check", "plain", "secure"])
def test_wechat_s_own_signatures_fit(case):
    assert is_signed(VECTORS[case], VECTORS["token"])
    assert not is_signed(VECTORS[case], "BBBBB")
    assert not is_signed({**VECTORS[case], "timestamp": "1714036505"}, VECTORS["token"])


def test_the_tests_own_wechat_makes_the_same_bytes():
    wechat = Wechat(**KNOWN, timestamp=SECURE["timestamp"], nonce=SECURE["nonce"])
    sealed = wechat.seal(SECURE["message"].encode(), SECURE["random"].encode())
    assert sealed == SECURE["encrypt"]
    assert wechat.query(sealed)["msg_signature"] == SECURE["msg_signature"]
    assert wechat.query()["signature"] == SECURE["signature"]


@pytest.mark.parametrize("length", [*range(70), 1000])
def test_a_message_of_any_length_comes_through(length):
    message = b"m" * length
    assert opened_of_ours(*WECHAT.push(message)) == message


@pytest.mark.parametrize("last", "EFGH")
def test_the_key_s_last_character_may_have_bits_that_mean_nothing(last):
    """Of its six bits four belong to the key: E, F, G and H are the same one."""
    query, body = WECHAT.push(b"{}")
    key = WECHAT.aes_key[:-1] + last
    assert open_push(query, body, token=WECHAT.token, aes_key=key, appid=WECHAT.appid) == b"{}"


def test_a_repeated_push_with_an_old_timestamp_says_the_same_again():
    """Whether a repetition of WeChat's has a new one is not documented, so its age is no reason."""
    old = Wechat(WECHAT.token, WECHAT.aes_key, WECHAT.appid, timestamp="1")
    assert [opened_of_ours(*old.push(b"{}")) for _ in range(2)] == [b"{}"] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"msg_signature": ...},
        {"msg_signature": ""},
        {"msg_signature": "0" * 40},
        {"msg_signature": SECURE["signature"]},
        {"msg_signature": SECURE["msg_signature"].upper()},
        {"msg_signature": f"{SECURE['msg_signature']},{SECURE['msg_signature']}"},
        {"msg_signature": "é" * 40},
        {"msg_signature": "\ud800"},
        {"timestamp": ...},
        {"timestamp": "1714112446"},
        {"nonce": ...},
        {"nonce": "\ud800"},
    ],
    ids=str,
)
def test_a_push_whose_msg_signature_does_not_fit_is_refused(changes):
    query = {name: value for name, value in {**QUERY, **changes}.items() if value is not ...}
    assert refusal(query) == "push refused: msg_signature does not fit WECHAT_PUSH_TOKEN, or is missing"


def test_another_token_opens_nothing():
    assert "WECHAT_PUSH_TOKEN" in refusal(token="BBBBB")


def test_a_signature_is_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(push.hmac, "compare_digest", lambda *both: compared.append(both) or True)
    opened()
    assert compared[0] == (SECURE["msg_signature"].encode(),) * 2
    assert compared[1] == (KNOWN["appid"].encode(),) * 2


@pytest.mark.parametrize("block", range(14))
def test_ciphertext_that_was_altered_is_refused_at_every_block(block):
    sealed = bytearray(b64decode(SECURE["encrypt"]))
    assert len(sealed) == 14 * 16
    sealed[16 * block] ^= 1
    body = json.dumps({"Encrypt": b64encode(sealed).decode()}).encode()
    assert "msg_signature" in refusal(QUERY, body)


def test_even_with_a_signature_that_fits_a_broken_seal_is_refused():
    """As when the Token is known and the EncodingAESKey is not."""
    stranger = Wechat(WECHAT.token, "Z" * 43, WECHAT.appid)
    why = refusal(*stranger.push(b"{}"), of=opened_of_ours)
    assert why == "push refused: it cannot be decrypted with WECHAT_PUSH_AES_KEY"


@pytest.mark.parametrize(
    "plain",
    [
        b"0123456789abcdef" + bytes(4) + b"wx0123456789" + bytes(32),
        bytes(31) + b"\x21" + b"\x21" * 32,
        bytes(29) + b"\x03\x02\x03",
        b"\x10" * 16,
        b"\x20" * 16,
        b"\x01" * 16,
        b"0123456789abcdef" + b"\xff\xff\xff\xff" + b"wx0123456789" + b"\x20" * 32,
        b"0123456789abcdef" + (13).to_bytes(4) + b"wx0123456789" + b"\x20" * 32,
    ],
    ids=[
        "no fill",
        "33 of them",
        "not all the same",
        "all of it",
        "more than all",
        "short",
        "huge",
        "one more",
    ],
)
def test_a_seal_with_something_else_in_it_is_refused(plain):
    why = refusal(*signed(WECHAT.encrypt(plain)), of=opened_of_ours)
    assert why == "push refused: it cannot be decrypted with WECHAT_PUSH_AES_KEY"


@pytest.mark.parametrize(
    "encrypted", ["", "!", "AAAA", "A", "é", "AAAA AAAAAAAAAAAAAAAAAAAAA=", "\ud800"], ids=ascii
)
def test_what_is_no_whole_number_of_blocks_is_refused(encrypted):
    query = {**WECHAT.query("x"), "msg_signature": _signature(encrypted)}
    why = refusal(query, json.dumps({"Encrypt": encrypted}).encode(), of=opened_of_ours)
    assert why == "push refused: the encrypted text has no whole number of blocks"


def test_a_seal_with_a_character_too_much_is_no_base64():
    sealed = WECHAT.seal(b"{}")
    why = refusal(*signed(f"{sealed[:8]} {sealed[8:]}"), of=opened_of_ours)
    assert why == "push refused: the encrypted text has no whole number of blocks"


def test_what_holds_a_length_and_nothing_more_is_for_nobody():
    plain = b"0123456789abcdef" + bytes(4) + b"\x0c" * 12
    why = refusal(*signed(WECHAT.encrypt(plain)), of=opened_of_ours)
    assert why == "push refused: it is for another AppID than WECHAT_APPID"


def test_what_a_query_does_not_hold_is_signed_as_nothing():
    """So nobody gets further by leaving it out: who signs it so knows the Token."""
    assert is_signed({"signature": sha1_of("AAAAA")}, "AAAAA")
    assert not is_signed({"signature": sha1_of("AAAAA", "~")}, "AAAAA")


def _signature(encrypted):
    import hashlib

    parts = sorted([WECHAT.token, WECHAT.timestamp, WECHAT.nonce, encrypted])
    return hashlib.sha1("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


@pytest.mark.parametrize("appid", ["wxba5fad812f8e6fb8", "", "wx0123456789abcdef0"])
def test_a_push_for_another_mini_program_is_refused(appid):
    stranger = Wechat(WECHAT.token, WECHAT.aes_key, appid)
    why = refusal(*stranger.push(b"{}"), of=opened_of_ours)
    assert why == "push refused: it is for another AppID than WECHAT_APPID"


def test_of_a_push_in_compatible_mode_only_what_is_encrypted_counts():
    query, body = WECHAT.push(b'{"Event": "sealed"}', Event="in plain text", trace_id="forged")
    assert opened_of_ours(query, body) == b'{"Event": "sealed"}'


@cases("body")
def test_plain_text_is_refused_whatever_signature_it_has(body):
    why = refusal(QUERY, body)
    assert why == "push refused: it is not encrypted; choose the secure mode in WeChat's console"


@pytest.mark.parametrize("body", [b"<xml><Encrypt><![CDATA[x]]></Encrypt></xml>", b"\n <xml/>"])
def test_xml_is_refused_with_the_cure_in_the_log(body):
    assert refusal(QUERY, body) == "push refused: it is XML; choose JSON in WeChat's console"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 60_000, b"a=b"],
    ids=lambda body: body[:8],
)
def test_what_is_no_json_object_is_refused(body):
    assert refusal(QUERY, body) == "push refused: not a JSON object"


def test_a_trial_of_the_address_that_is_not_the_console_s_says_what_to_look_at():
    refused = refused_check()
    assert refused.message == "This does not come from WeChat."
    assert refused.reason == "push refused: signature does not fit WECHAT_PUSH_TOKEN, or is missing"


def test_nothing_of_what_was_sent_or_set_stands_in_the_reason():
    for why in (refusal(token="BBBBB"), refusal(appid="wx1"), refusal(QUERY, b'{"Encrypt": "canary"}')):
        assert not re.search(f"{KNOWN['aes_key']}|AAAAA|BBBBB|canary|{SECURE['msg_signature']}", why)
