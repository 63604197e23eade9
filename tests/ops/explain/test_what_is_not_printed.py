"""``explain`` prints no secret, no control character, and quotes nothing that it cannot read."""

import base64
import json

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.explain.pasted import Unreadable
from tests.ops.explain.pastes import CALLBACK, FIELDS, TOKEN, answer, encoded, error_xml, policy_for, said

SECRETS = [TOKEN, "ab" * 32, CALLBACK, encoded(policy_for(FIELDS))]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_prints_no_secret_of_a_form(language):
    fields = {**FIELDS, "callback": CALLBACK}
    text = said(answer(fields, policy_for(fields)), language)
    assert "https://api.example.com/callback" in text
    assert "eyJhbGciOi" not in text
    for secret in [*SECRETS, encoded(policy_for(fields))]:
        assert secret not in text
        assert secret[:40] not in text


@pytest.mark.parametrize(
    "document",
    [
        error_xml("AccessDenied", f'Policy Condition failed: ["eq", "$x-oss-security-token", "{TOKEN}"]'),
        error_xml("AccessDenied", f'Policy Condition failed: ["eq", "$x-oss-security-token", "{TOKEN}'),
        error_xml("InvalidSecurityToken", f"The token {TOKEN} is invalid"),
        error_xml(
            "InvalidArgument",
            "no",
            more=f"<ArgumentName>x-oss-security-token</ArgumentName><ArgumentValue>{TOKEN}</ArgumentValue>",
        ),
        error_xml("SignatureDoesNotMatch", "no", more=f"<StringToSign>{TOKEN}</StringToSign>"),
        error_xml("SignatureDoesNotMatch", "no", more=f"<SignatureProvided>{TOKEN}</SignatureProvided>"),
        json.dumps({"Code": "NoPermission", "Message": f"SecurityToken={TOKEN}"}),
        json.dumps(policy_for({"x-oss-security-token": TOKEN})),
    ],
)
def test_prints_no_token_that_an_error_or_policy_quotes(document):
    text = said(document)
    assert TOKEN[:40] not in text


def test_prints_no_control_characters_of_a_hostile_answer():
    text = said(error_xml("AccessDenied", "a&#x9b;2Jb\u202eevil") + "")
    text += said(json.dumps({"error": {"code": "x", "message": "\x1b[2J\x07gone"}}))
    text += said(jwt.encode({"aud": "x", "key": "\x1b[31m\u202e"}, "k" * 32))
    assert not {"\x1b", "\x9b", "\u202e"} & {*text}


UNREADABLE = [
    "", "   ", "hello", "{", "[]", "5", "null", '{"a": 1}', "<html></html>", "<Error></Error>", "<Error>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]><Error><Code>&a;</Code></Error>", "[" * 200_000, '{"a":' * 200_000,
    "ZZZZ", base64.b64encode(b"\xff\xfe").decode(), '""', "\x00\x01", '{"uploads": [{}]}',
    '{"uploads": [5]}', '{"uploads": []}', "9" * 5000, "[" + "9" * 5000 + "]", "HTTP/1.1 abc",
    "http://[x/y", "http://[::1/y", "https://", "https://\u2100.example/y", "ftp://a/b",
    json.dumps({"Credentials": {"AccessKeySecret": "topsecretvalue", "SecurityToken": TOKEN}}),
]  # fmt: skip


@pytest.mark.parametrize("text", UNREADABLE)
def test_unreadable_input_is_reported_without_quoting_it(text):
    with pytest.raises(Unreadable) as caught:
        said(text)
    assert "line" not in caught.value.said.zh
    for sentence in caught.value.said:
        assert "policy" in sentence
        assert "topsecret" not in sentence
        assert len(sentence) < 450


def samples():
    policy = policy_for(
        {**FIELDS, "callback": CALLBACK}, extra=[["in", "$a", ["x"]], ["not-in", "$b", ["y"]]]
    )
    yield answer(policy=policy)
    yield encoded(policy)
    yield json.dumps(policy)
    yield "HTTP/1.1 403 Forbidden\r\nx-oss-ec: 1\r\n\r\n" + error_xml(
        "AccessDenied", 'Policy Condition failed: ["eq", "$key", "a"]'
    )
    yield '{"requestId":"r","route":"tick","code":"oss_rejected","reason":"a: b; check: c, HTTP 403 D EC 1"}'
    claims = base64.urlsafe_b64encode(json.dumps({"aud": "x", "iat": 1, "exp": 99, "heldUntil": 5}).encode())
    yield f"eyJhbGciOiJIUzI1NiJ9.{claims.decode().rstrip('=')}.c2lnbmF0dXJl"
    yield json.dumps({"error": {"code": "unauthorized", "message": "m", "requestId": "r"}})
    yield json.dumps(
        {"host": "https://b", "dir": "a/", "policy": encoded(policy), "signature": "s", "accessid": "i"}
    )


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(list(samples())), st.data())
def test_no_damage_to_a_paste_makes_it_fail_otherwise_than_with_a_sentence(text, data):
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        text = text[:start] + data.draw(st.text(max_size=6)) + text[end:]
    for language in ("en", "zh"):
        try:
            shown = said(text, language)
        except Unreadable:
            continue
        assert shown.strip()
        shown.encode()
