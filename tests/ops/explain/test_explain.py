"""What ``manage.py explain`` says about policies, forms and errors, in both languages."""

import argparse
import base64
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ops.explain import command as explain
from ops.explain.advice import advice_rows, condition_remedy, find_advice
from ops.explain.pasted import Unreadable
from ops.terminal.language import chosen_language

NOW = datetime(2026, 11, 24, 14, 2, tzinfo=UTC)
TOKEN = "CAIS" + "Zm9v+/" * 150
CREDENTIAL = "STS.NTxyz/20261124/cn-hangzhou/oss/aliyun_v4_request"
CALLBACK = base64.b64encode(
    json.dumps(
        {"callbackUrl": "https://api.example.com/callback", "callbackBody": '{"ticket":"eyJhbGciOi"}'}
    ).encode()
).decode()
FIELDS = {
    "key": "uploads/q3f/2026/11/24/9Jx.jpg",
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    "x-oss-credential": CREDENTIAL,
    "x-oss-date": "20261124T140000Z",
    "x-oss-security-token": TOKEN,
    "success_action_status": "200",
    "x-oss-content-type": "image/jpeg",
    "x-oss-forbid-overwrite": "true",
    "x-oss-object-acl": "default",
}


def policy_for(fields, expires="2026-11-24T14:05:00.000Z", extra=()):
    conditions = [["eq", f"${name}", value] for name, value in fields.items()]
    return {
        "expiration": expires,
        "conditions": [{"bucket": "my-bucket"}, *conditions, ["content-length-range", 1, 10485760], *extra],
    }


def encoded(document):
    return base64.b64encode(json.dumps(document).encode()).decode()


def answer(sent=None, policy=None, url="https://my-bucket.oss-cn-hangzhou.aliyuncs.com"):
    form = {
        **(FIELDS if sent is None else sent),
        "policy": encoded(policy or policy_for(FIELDS)),
        "x-oss-signature": "ab" * 32,
    }
    return json.dumps({"url": url, "formData": form})


def error_xml(code, message="", ec="", more=""):
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>{code}</Code>\n'
        f"  <Message>{message}</Message>\n  <RequestId>655F0A</RequestId>"
        f"<HostId>my-bucket.oss-cn-hangzhou.aliyuncs.com</HostId>"
        f"<EC>{ec}</EC>{more}\n</Error>"
    )


def said(text, language="en", now=NOW):
    return explain.explain(text, now, language)


ERRORS = [
    ("RequestIsNotMultiPartContent", "Bucket POST must be of the enclosure-type", "", "multipart/form-data"),
    ("MalformedPOSTRequest", "not well-formed multipart/form-data.", "0006-00000104", "before the file"),
    ("IncorrectNumberOfFilesInPOSTRequest", "POST requires exactly one file", "", "exactly one file"),
    ("InvalidArgument", "The bucket POST must contain the specified 'key'. If", "", "Send key before"),
    ("InvalidArgument", "must contain the specified 'OSSAccessKeyId'", "", "OSSAccessKeyId"),
    ("InvalidArgument", "", "0002-00000702", "policy is missing"),
    ("InvalidArgument", "", "0002-00000701", "OSS4-HMAC-SHA256"),
    ("InvalidArgument", "", "0002-00000710", "x-oss-credential is malformed"),
    ("InvalidArgument", "", "0002-00000709", "OSS's clock"),
    ("InvalidArgument", "Post request signature is empty.", "", "signature of the form is missing"),
    ("InvalidArgument", "", "0002-00000704", "signature of the form is missing"),
    ("InvalidArgument", "Post request accessKeyId is empty.", "", "access key id of the form is empty"),
    ("InvalidArgument", "The signing region in credential is invalid.", "0002-00000715", "OSS_REGION"),
    ("InvalidArgument", "Post body size must be less than 5G.", "", "5 GB"),
    ("InvalidArgument", "The callback configuration is not base64 encoded.", "", "not base64"),
    ("InvalidArgument", "The callback configuration is not json format.", "", "not of JSON"),
    ("InvalidArgument", "The callback url configuration is invalid.", "", "CALLBACK_URL"),
    ("InvalidArgument", "Private address is forbidden to callback.", "0007-00000008", "public addresses"),
    ("InvalidArgument", "The callback host configuration is invalid.", "", "host name"),
    ("InvalidArgument", "The callback body type configuration is invalid.", "", "body type"),
    ("InvalidArgument", "The body type of callback is not supported.", "", "body type"),
    ("InvalidArgument", "The number of callback url exceed max value.", "", "more than five"),
    ("InvalidArgument", "something new", "", "ArgumentName"),
    ("FieldItemTooLong", "Your name of form field is too long.", "0006-00000110", "8 KB"),
    ("MaxPOSTPreDataLengthExceededError", "fields preceding the upload", "0006-00000112", "8 MB"),
    ("EntityTooLarge", "Your proposed upload exceeds", "0006-00000003", "max_size"),
    ("EntityTooSmall", "Your proposed upload smaller", "0006-00000004", "min_size"),
    ("InvalidPolicyDocument", "Invalid Policy: Invalid JSON: unknown char e", "", "not JSON"),
    ("InvalidPolicyDocument", "Invalid Simple-Condition: Simple-Conditions must have exactly one property "
     "specified.", "", "several properties"),
    ("InvalidPolicyDocument", "", "0006-00000208", "no expiration"),
    ("InvalidPolicyDocument", "", "0006-00000215", "no conditions"),
    ("InvalidPolicyDocument", "", "0006-00000217", "one that OSS knows"),
    ("InvalidPolicyDocument", "", "0006-00000219", "ascending order"),
    ("InvalidDigest", "-", "", "Content-MD5"),
    ("AccessDenied", "Invalid according to Policy: Policy expired.", "0006-00000213", "expires_in"),
    ("AccessDenied", "You have no right to access this object because of bucket acl.", "", "may not write"),
    ("AccessDenied", "Access denied by authorizer's policy.", "0003-00000301", "session policy"),
    ("AccessDenied", "The bucket must be addressed using the specified endpoint.", "", "another region"),
    ("AccessDenied", "Put public object acl is not allowed", "", "Block Public Access is on"),
    ("AccessDenied", "no more is said", "", "bucket policy"),
    ("SignatureDoesNotMatch", "The request signature we calculated", "0002-00000040", "+ that"),
    ("InvalidAccessKeyId", "The OSS Access Key Id you provided does not exist", "0002-00000902", "STS."),
    ("InvalidAccessKeyId", "The OSS Access Key Id you provided is disabled.", "0002-00000903", "disabled"),
    ("InvalidSecurityToken", "The security token is invalid.", "0002-00000006", "cut on the way"),
    ("AccessKeyIdAndSecurityTokenNotMatch", "does not match", "0002-00000004", "two different answers"),
    ("SecurityTokenExpired", "The security token you provided has expired.", "0002-00000007", "fresh form"),
    ("NobodyKnowsThisCode", "", "0002-00000080", "OSS_SIGNATURE_VERSION=v4"),
    ("FileAlreadyExists", "The object you specified already exists", "", "overwrite = true"),
    ("FileImmutable", "The object you specified is immutable.", "", "retention"),
    ("NoSuchBucket", "The specified bucket does not exist.", "", "--bucket-create"),
    ("CallbackFailed", "Error status : 400.", "0007-00000203", "TOKEN_SECRET"),
    ("CallbackFailed", "Response body is not valid json format.", "0007-00000205", "did not answer JSON"),
    ("CallbackFailed", "Error status : -1.OSS can not connect to your callbackUrl, please check it.", "",
     "cannot reach"),
    ("CallbackFailed", "reply timeout, cost:5000ms, timeout:5000ms (err msg)", "0007-00000202", "5 seconds"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "message", "ec", "piece"), ERRORS)
def test_every_error_of_an_upload_has_its_own_advice(code, message, ec, piece):
    text = said(error_xml(code, message, ec))
    assert piece in text
    assert "What to do" in text
    assert "not in the table" not in text


@pytest.mark.parametrize(("code", "message", "ec", "piece"), ERRORS)
def test_every_error_is_explained_in_chinese_too(code, message, ec, piece):
    text = said(error_xml(code, message, ec), "zh")
    assert "怎么办" in text
    assert "What it means" not in text


def test_every_row_of_the_table_says_something_different_in_each_language():
    for row in advice_rows():
        for text in (row.meaning, row.remedy):
            assert text.en.isascii(), text.en
            assert any("\u4e00" <= mark <= "\u9fff" for mark in text.zh), text.zh


def test_a_message_that_fits_wins_over_an_ec_that_does_not():
    advice = find_advice("AccessDenied", "Invalid according to Policy: Policy expired.", "0003-00000301")
    assert advice is not None
    assert "expired" in advice.meaning.en


def test_says_that_an_unknown_code_is_unknown_instead_of_guessing():
    assert "not in the table" in said(error_xml("BrandNewError", "surprise", "0099-1"))


def test_names_the_condition_that_failed_and_what_to_do_about_its_field():
    message = 'Invalid according to Policy: Policy Condition failed: ["eq", "$success_action_status", "200"]'
    text = said(error_xml("AccessDenied", message, "0006-00000227"))
    assert 'success_action_status (the status of success) must be exactly "200"' in text
    assert condition_remedy("success_action_status").en in text


def test_names_a_failed_condition_that_osss_message_cuts_short():
    message = 'Invalid according to Policy: Policy Condition failed: ["in", "$content-type"]'
    text = said(error_xml("AccessDenied", message))
    assert "the content type of the file" in text
    assert condition_remedy("content-type").en in text


def test_reads_the_dump_of_curl_with_headers_and_a_continue_before_them():
    dump = (
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nx-oss-ec: 0006-00000213\r\n\r\n"
        + error_xml("AccessDenied", "something").replace("<EC></EC>", "")
    )
    text = said(dump)
    assert "HTTP       403" in text
    assert "had expired" in text


def test_reads_what_the_developer_tools_print_for_wx_upload_file():
    pasted = json.dumps({"statusCode": 203, "data": error_xml("CallbackFailed", "Error status : 502.")})
    assert "the callback answered another status" in said(pasted)


def test_explains_a_failure_that_has_headers_only():
    text = said("HTTP/1.1 403 Forbidden\nx-oss-request-id: 1\nx-oss-ec: 0006-00000213\n\n")
    assert "had expired" in text


@pytest.mark.parametrize("status", [200, 204])
def test_knows_a_success_without_a_body(status):
    assert "The upload worked" in said(f"HTTP/1.1 {status} OK\r\nETag: x\r\n\r\n")


def test_knows_the_answer_of_a_callback_and_hides_its_receipt():
    receipt = "eyJhbGciOiJIUzI1NiJ9." + "x" * 200
    text = said(json.dumps({"status": "ok", "key": "a/b.jpg", "receipt": receipt}))
    assert "key = a/b.jpg" in text
    assert receipt not in text


@pytest.mark.parametrize(
    ("pasted", "piece"),
    [
        ({"error": {"code": "sts_rejected", "message": "m", "requestId": "r"}}, "manage.py setup"),
        ({"error": {"code": "unauthorized", "message": "m", "requestId": "r"}}, "Log in again"),
        ({"Code": "NoPermission", "Message": "You are not authorized", "RequestId": "r"}, "trust the caller"),
        ({"Code": "NoPermission", "Message": "Roles may not be assumed by root accounts."}, "root account"),
        ({"Code": "EntityNotExist.Role", "Message": "The specified Role not exists."}, "STS_ROLE_ARN"),
    ],
)
def test_explains_errors_of_the_function_and_of_sts(pasted, piece):
    assert piece in said(json.dumps(pasted))


def test_every_error_code_of_the_function_is_in_the_table():
    import errors

    classes = [errors.UploadError]
    for one in classes:
        classes.extend(one.__subclasses__())
    codes = {one.code for one in classes if hasattr(one, "code")}
    assert len(codes) > 15
    assert {code for code in codes if find_advice(code) is None} == set()


def test_says_what_each_condition_of_a_good_form_means_and_when_it_ends():
    text = said(answer())
    assert "2026-11-24 14:05:00 UTC, in 3 min" in text
    assert 'the object key must be exactly "uploads/q3f/2026/11/24/9Jx.jpg"' in text
    assert "the file must have 1 byte to 10 MiB" in text
    assert "What to do" not in text


def test_an_answer_of_many_files_explains_each_form():
    both = json.dumps({"uploads": [json.loads(answer()), json.loads(answer())], "serverTime": "x"})
    assert said(both).count("A signed form, version 4") == 2


def test_says_how_long_ago_a_form_expired():
    text = said(answer(), now=NOW + timedelta(days=1, hours=2))
    assert "expired 1 d 1 h ago" in text
    assert "fresh form" in text


@pytest.mark.parametrize("field", sorted(FIELDS))
def test_marks_a_changed_and_a_missing_field_as_the_condition_that_fails(field):
    changed = said(answer({**FIELDS, field: "other"}))
    missing = said(answer({name: value for name, value in FIELDS.items() if name != field}))
    assert changed.count("\n  ! ") == 1
    assert missing.count("\n  ! ") == 1
    assert "the form does not send it" in missing


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        (["starts-with", "$x-a", "im"], "image", True),
        (["starts-with", "$x-a", ""], "", True),
        (["starts-with", "$x-a", "im"], "video", False),
        (["in", "$X-A", ["a", "b"]], "b", True),
        (["in", "$x-a", ["a", "b"]], "c", False),
        (["not-in", "$x-a", ["a", "b"]], "c", True),
        (["not-in", "$x-a", ["a", "b"]], "a", False),
        ({"x-a": "1"}, "1", True),
        ({"x-a": "1"}, "2", False),
    ],
)
def test_judges_each_mode_of_condition_as_oss_does(condition, value, holds):
    text = said(answer({**FIELDS, "x-a": value}, policy_for(FIELDS, extra=[condition])))
    assert ("\n  ! " not in text) is holds


def test_the_bucket_of_the_address_is_compared_with_the_policys():
    text = said(answer(url="https://other.oss-cn-hangzhou.aliyuncs.com"))
    assert '! the bucket must be exactly "my-bucket"' in text


def test_says_which_fields_oss_does_not_check():
    assert "No condition mentions x-oss-meta-a" in said(answer({**FIELDS, "x-oss-meta-a": "1"}))


def test_says_that_version_4_needs_conditions_on_its_own_fields():
    thin = {"expiration": "2026-11-24T14:05:00Z", "conditions": [{"bucket": "my-bucket"}]}
    text = said(answer(policy=thin))
    for field in ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token"):
        assert f"needs a condition on {field};" in text


def test_sees_a_clock_that_runs_ahead_and_days_that_differ():
    ahead = {**FIELDS, "x-oss-date": "20261125T140000Z"}
    text = said(answer(ahead, policy_for(ahead)))
    assert "in the future" in text
    assert "differ; OSS refuses" in text


def test_warns_of_a_form_older_than_the_window_that_is_certain():
    text = said(answer(policy=policy_for(FIELDS, "2026-11-24T15:00:00Z")), now=NOW + timedelta(minutes=20))
    assert "15 minutes in another" in text


def test_explains_a_version_1_form_in_the_shape_of_the_sample_servers():
    policy = {"expiration": "2026-11-24T14:05:00Z", "conditions": [["starts-with", "$key", "test/"]]}
    sample = {
        "accessid": "STS.abc",
        "host": "https://b.oss-cn-hangzhou.aliyuncs.com",
        "policy": encoded(policy),
        "signature": "c2lnbmF0dXJl" * 3,
        "expire": 1,
        "dir": "test/",
        "security_token": TOKEN,
    }
    text = said(json.dumps(sample))
    assert "sample servers, version 1" in text
    assert 'key = "test/" + a name' in text
    assert "\n  ! " not in text
    assert sample["signature"] not in text


def test_explains_a_version_4_form_in_the_shape_of_the_sample_servers():
    signed = {name: FIELDS[name] for name in FIELDS if name.startswith(("x-oss-s", "x-oss-c", "x-oss-d"))}
    del signed["x-oss-content-type"]
    sample = {
        "policy": encoded(policy_for(signed)),
        "security_token": TOKEN,
        "x_oss_signature_version": "OSS4-HMAC-SHA256",
        "x_oss_credential": CREDENTIAL,
        "x_oss_date": "20261124T140000Z",
        "signature": "ab" * 32,
        "host": "https://my-bucket.oss-cn-hangzhou.aliyuncs.com",
        "dir": "test/",
    }
    text = said(json.dumps(sample))
    assert "sample servers, version 4" in text
    assert "\n  ! " not in text
    assert "What to do" not in text


@pytest.mark.parametrize("wrap", [json.dumps, encoded, lambda document: json.dumps(encoded(document))])
def test_reads_a_policy_as_json_and_as_base64(wrap):
    assert "A policy" in said(wrap(policy_for(FIELDS)))


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"conditions": [{"bucket": "b"}]}, "expiration must be"),
        ({"expiration": "", "conditions": [{"bucket": "b"}]}, "expiration must be"),
        ({"expiration": 5, "conditions": [{"bucket": "b"}]}, "expiration must be"),
        ({"expiration": "2030-01-01T00:00:00Z"}, "conditions must be"),
        ({"expiration": "2030-01-01T00:00:00Z", "conditions": []}, "conditions must be"),
        ({"expiration": "2030-01-01T00:00:00Z", "conditions": {}}, "conditions must be"),
        ({"expiration": "2030-01-01T00:00:00Z", "conditions": [{"a": "1", "b": "2"}]}, "no such condition"),
        ({"expiration": "2030-01-01T00:00:00Z", "conditions": [["like", "$key", "a"]]}, "no such condition"),
        ({"expiration": "2030-01-01T00:00:00Z", "conditions": [["eq", "$key"]]}, "no such condition"),
        ({"expiration": "2030-01-01T00:00:00Z", "conditions": [["in", "$key", "a"]]}, "no such condition"),
        (
            {"expiration": "2030-01-01T00:00:00Z", "conditions": [["content-length-range", 5, 1]]},
            "no such condition",
        ),
        ({"expiration": "2030-01-01T00:00:00Z", "conditions": [7]}, "no such condition"),
    ],
)
def test_says_why_oss_would_refuse_a_policy(document, problem):
    assert problem in said(json.dumps(document))


def test_a_form_whose_policy_was_damaged_is_said_to_be_refused():
    form = {**FIELDS, "policy": "eyJl eHBpcm!", "x-oss-signature": "ab" * 32}
    assert "the policy is not JSON" in said(json.dumps({"url": "", "formData": form}))


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
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert "\u202e" not in text


UNREADABLE = [
    "", "   ", "hello", "{", "[]", "5", "null", '{"a": 1}', "<html></html>", "<Error></Error>", "<Error>",
    "<!DOCTYPE x [<!ENTITY a 'b'>]><Error><Code>&a;</Code></Error>", "[" * 200_000, '{"a":' * 200_000,
    "ZZZZ", base64.b64encode(b"\xff\xfe").decode(), '""', "\x00\x01", '{"uploads": [{}]}',
    '{"uploads": [5]}', '{"uploads": []}', "9" * 5000, "[" + "9" * 5000 + "]", "HTTP/1.1 abc",
    json.dumps({"Credentials": {"AccessKeySecret": "topsecretvalue", "SecurityToken": TOKEN}}),
]  # fmt: skip


@pytest.mark.parametrize("text", UNREADABLE)
def test_says_plainly_what_it_cannot_read_and_quotes_none_of_it(text):
    with pytest.raises(Unreadable) as caught:
        said(text)
    for sentence in (caught.value.sentence.en, caught.value.sentence.zh):
        assert "policy" in sentence
        assert "topsecret" not in sentence
        assert len(sentence) < 300


def run_with(monkeypatch, data, file="-", lang="en"):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
    return explain.run(argparse.Namespace(file=str(file), lang=lang))


def test_the_command_reads_standard_input_and_files_alike(monkeypatch, capsys, tmp_path):
    document = error_xml("NoSuchBucket").encode()
    (tmp_path / "error.xml").write_bytes(document)
    assert run_with(monkeypatch, document) == 0
    from_stdin = capsys.readouterr().out
    assert run_with(monkeypatch, b"", tmp_path / "error.xml") == 0
    assert capsys.readouterr().out == from_stdin


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00garbage", b"what is this"])
def test_the_command_exits_2_with_a_sentence_for_what_it_cannot_read(monkeypatch, capsys, data):
    assert run_with(monkeypatch, data) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("✗ Cannot explain this. ")


def test_the_command_exits_2_for_a_file_that_is_not_there(monkeypatch, capsys, tmp_path):
    assert run_with(monkeypatch, b"", tmp_path / "none.json", "zh") == 2
    assert "无法读取" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wanted", "environ", "language"),
    [
        (None, {"LANG": "zh_CN.UTF-8"}, "zh"),
        (None, {"LANG": "en_US.UTF-8"}, "en"),
        (None, {"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        (None, {}, "en"),
        ("zh", {"LANG": "en_US.UTF-8"}, "zh"),
        ("en", {"LANG": "zh_CN.UTF-8"}, "en"),
    ],
)
def test_the_language_is_the_wanted_one_else_the_locales(wanted, environ, language):
    assert chosen_language(wanted, environ) == language


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
    yield json.dumps({"error": {"code": "unauthorized", "message": "m", "requestId": "r"}})
    yield json.dumps(
        {"host": "https://b", "dir": "a/", "policy": encoded(policy), "signature": "s", "accessid": "i"}
    )


@settings(max_examples=400, deadline=None)
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
