"""Errors and successes that ``explain`` reads, in both languages."""

import json
import re

import pytest

from ops.explain.advice import advice_rows, condition_remedy, find_advice
from tests.ops.explain.pastes import error_xml, said

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


READING = [
    ("AccessDenied", "Request has expired.", "0002-00000236", "Ask /read for a fresh one"),
    (
        "AccessDenied",
        "Anonymous user has no right to access this object.",
        "",
        "the address has no signature",
    ),
    ("AccessDenied", "You have no right to access this object.", "", "the URL that /read gives"),
    ("AccessDenied", "Access denied by authorizer's policy.", "0003-00000301", "oss:GetObject"),
    ("AccessDenied", "The channel can be only accessed using style.", "", "style/NAME"),
    (
        "SignatureDoesNotMatch",
        "The request signature we calculated",
        "0002-00000040",
        "x-oss-process as well",
    ),
    ("NoSuchKey", "The specified key does not exist.", "0026-00000001", "no object of this name"),
    ("InvalidObjectState", "The operation is not valid for the object's state", "", "archived"),
    ("InvalidArgument", "x-oss-expires is missing.", "0002-00000215", "x-oss-expires"),
    ("InvalidArgument", "", "0002-00000232", "604800"),
    ("InvalidArgument", "", "0002-00000078", "a header that was not sent"),
    ("InvalidRequest", "Can not override response header on content-type", "0017-00000902", "stored content"),
    ("NoSuchStyle", "", "", "[NAME.variants]"),
    ("ImageTooLarge", "", "", "30,000 pixels"),
]


@pytest.mark.parametrize(("code", "message", "ec", "piece"), READING)
def test_every_error_of_reading_has_its_own_advice(code, message, ec, piece):
    text = said(error_xml(code, message, ec))
    assert piece in text
    assert "not in the table" not in text
    assert "怎么办" in said(error_xml(code, message, ec), "zh")


def test_a_right_that_is_lacking_for_uploads_is_not_taken_for_one_of_reading():
    for message in (
        "You have no right to access this object because of bucket acl.",
        "Anonymous user has no right to access this bucket.",
    ):
        assert "/read" not in said(error_xml("AccessDenied", message))


PLATFORM = [
    ("uploadFile:fail url not in domain list", "uploadFile domains"),
    ("request:fail url not in domain list:https://x.example", "request domains"),
    ("uploadFile:fail timeout", "raise timeout"),
    ("uploadFile:fail 请求超时。", "raise timeout"),
    ("uploadFile:fail interrupted", "foreground"),
    ("uploadFile:fail abort", "Nothing to mend"),
    ("uploadFile:fail upload fail:-101:net::ERR_CONNECTION_RESET", "another network"),
    ("uploadFile:fail file not found", "temporary path"),
    ("request:fail ssl hand shake error", "TLS 1.2"),
    ("chooseMedia:fail api scope is not declared in the privacy agreement", "privacy guideline"),
]


@pytest.mark.parametrize(("message", "piece"), PLATFORM)
def test_explains_what_the_mini_program_says(message, piece):
    for pasted in (message, json.dumps({"errMsg": message, "errno": 600000}, ensure_ascii=False)):
        text = said(pasted)
        assert "What the mini-program says" in text
        assert piece in text
    assert "小程序的报错" in said(message, "zh")


def test_an_errno_says_what_its_text_does_not():
    assert "privacy guideline" in said('{"errMsg": "chooseMedia:fail", "errno": 112}')


def test_a_new_account_s_refusal_leads_to_a_domain_of_the_bucket():
    text = said(error_xml("PublicEndpointForbidden", "Not allowed using the OSS public endpoint"))
    assert "Bind a domain" in text and "cn-hongkong" in text


def test_the_link_of_an_unknown_code_has_its_own_ec():
    text = said(error_xml("BrandNewError", "surprise", "0099-00000001"))
    assert "https://api.aliyun.com/troubleshoot?q=0099-00000001" in text
    assert "?q=BrandNewError" in said(error_xml("BrandNewError", "surprise"))


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


@pytest.mark.parametrize(
    ("language", "headline"),
    [("en", "The upload worked (HTTP 200): the file is stored"), ("zh", "上传成功 (HTTP 200)：文件已保存")],
)
def test_a_success_is_headed_as_its_language_writes(language, headline):
    assert said("HTTP/1.1 200 OK\r\nETag: x\r\n\r\n", language=language).splitlines()[0] == headline


def test_knows_the_answer_of_a_callback_and_hides_its_receipt():
    receipt = "eyJhbGciOiJIUzI1NiJ9." + "x" * 200
    text = said(json.dumps({"status": "ok", "key": "a/b.jpg", "receipt": receipt}))
    assert "key = a/b.jpg" in text
    assert receipt not in text


@pytest.mark.parametrize(
    ("more", "piece"),
    [
        ({"state": "stored"}, "OSS itself says"),
        ({"exists": True}, "there already"),
        ({}, "callback answered"),
    ],
)
def test_says_how_a_receipt_is_known(more, piece):
    text = said(json.dumps({"key": "a/b.jpg", "receipt": "eyJ" + "x" * 200, **more}))
    assert piece in text
    assert "x" * 40 not in text


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
    from function import errors

    classes = [errors.UploadError]
    for one in classes:
        classes.extend(one.__subclasses__())
    codes = {one.code for one in classes if hasattr(one, "code")}
    assert len(codes) > 15
    assert {code for code in codes if find_advice(code) is None} == set()


@pytest.mark.parametrize(
    ("code", "message", "options"),
    [
        ("NoSuchBucket", "", ["bucket", "region"]),
        ("InvalidArgument", "The signing region in credential is invalid.", ["region"]),
        ("AccessDenied", "The bucket must be addressed using the specified endpoint.", ["region", "host"]),
        ("AccessDenied", "You have no right because of bucket acl.", ["bucket", "role"]),
        ("AccessDenied", "", ["role"]),
        ("AccessDenied", "Access denied by authorizer's policy.", ["bucket", "role"]),
        ("NoPermission", "", ["role"]),
        ("EntityNotExist.Role", "", ["role"]),
        ("InvalidParameter.RoleArn", "", ["role"]),
        ("PublicEndpointForbidden", "", ["host"]),
        ("oss_unavailable", "", ["host"]),
    ],
)
def test_what_a_profile_may_say_of_its_own_bucket_is_named_beside_the_settings(code, message, options):
    advice = find_advice(code, message)
    for option in options:
        assert re.search(rf"\b{option}\b[^.;:]* of the profile", advice.meaning.en + advice.remedy.en)
        assert re.search(rf"该用途的 [a-z 与和]*\b{option}\b", advice.meaning.zh + advice.remedy.zh)


def test_the_host_that_refused_is_shown_for_it_tells_the_bucket():
    text = said(error_xml("NoSuchBucket", "The specified bucket does not exist."))
    assert "HostId     my-bucket.oss-cn-hangzhou.aliyuncs.com\n" in text
