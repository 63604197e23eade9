"""PostObject against the running server, and the grammar of its policy, row by row."""

import base64
import json
import xml.etree.ElementTree as ElementTree
from datetime import datetime, timedelta

import pytest

from local.oss.errors import CONDITION_FAILED, OssError, error_xml
from local.oss.policy import parse_policy
from tests.local.oss.conftest import UNSIGNED, content_md5, refusal_of
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
KEY = "u/42/a.jpg"
ACL = "x-oss-object-acl"
FULL = {
    "success_action_status": "200",
    "x-oss-content-type": "image/jpeg",
    ACL: "private",
    "Cache-Control": "max-age=60",
    "x-oss-meta-origin": "小程序",
}


@cases("given", "answer")
def test_each_form_has_its_answer(given, answer, oss, oss_client, rules, may):
    """Fields that are signed, and others, ``then``, that are changed after that; a refusal stores nothing."""
    given = {"fields": FULL, **given}
    rules(**given.pop("rules", {}))
    then, stored = given.pop("then", {}), given.pop("stored", KEY)
    if "may" in given:
        given["key"] = may(given.pop("may"), denied_acl=given.pop("denied_acl", None))
    sign = oss_client.v1_form if given.pop("v1", False) else oss_client.v4_form
    signed = {name: given.pop(name) for name in ("fields", "conditions", "key", "region") if name in given}
    form = {name: value for name, value in (sign(**signed) | then).items() if value is not None}
    content = given.pop("content", "picture").encode()
    assert oss_client.post(form, content, **given).said.startswith(answer)
    assert [*oss.objects] == ([stored] if answer[0] == "2" else [])


@cases("parts", "refusal")
def test_a_malformed_body_is_refused(oss, oss_client, rules, parts, refusal):
    body = oss_client.body(*(oss_client.part(*part) for part in parts))
    assert oss_client.send(body).said.startswith(refusal)
    assert len(oss.objects) == 0
    rules(fields_after_file_allowed=True)
    assert (oss_client.send(body).status == 204) is refusal.endswith("0006-00000104")


@cases("content_type", "body", "refusal")
def test_a_body_must_be_a_form_in_parts_with_a_boundary(oss_client, content_type, body, refusal):
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert oss_client.send(body.encode("latin-1"), headers).said.startswith(refusal)


def test_fields_have_a_limit_each_and_together(oss_client, rules):
    form = oss_client.v1_form()
    assert oss_client.post({"x" * 8192: "1", **form}).status == 204
    assert oss_client.post({"x" * 8193: "1", **form}).said == "400 FieldItemTooLong 0006-00000110"
    rules(max_field_value_bytes=1000, max_fields_bytes=4000)
    used = sum(len(name) + len(value) for name, value in form.items())
    full = {f"f{number}": "x" * 798 for number in range((4000 - used) // 800)}
    rest = 4000 - used - 800 * len(full) - 1
    for good, bad in (
        ({"a": "x" * 1000}, {"a": "x" * 1001}),
        ({**full, "r": "x" * rest}, {"r": "x" * (rest + 1)}),
    ):
        assert oss_client.post({**form, **good}).status == 204
        refused = oss_client.post({**form, **good, **bad})
        assert refused.said == "400 MaxPOSTPreDataLengthExceededError 0006-00000112"


@cases("fields", "part_type", "stored")
def test_the_content_type_comes_from_the_first_of_three_sources(oss, oss_client, fields, part_type, stored):
    assert oss_client.post(oss_client.v1_form(fields), content_type=part_type).status == 204
    assert oss.objects[KEY].content_type == stored


def test_a_201_names_the_object_and_encryption_is_confirmed(oss, oss_client):
    encrypted = {"x-oss-server-side-encryption": "AES256"}
    answer = oss_client.post(oss_client.v4_form({"success_action_status": "201", **encrypted}))
    assert encrypted.items() <= dict(answer.headers).items()
    assert answer.headers["Content-Type"] == "application/xml" and answer.headers["x-oss-request-id"]
    told = [answer.element(name) for name in ("Bucket", "Key", "Location", "ETag")]
    assert told == ["examplebucket", KEY, f"{oss.origin}/{KEY}", answer.headers["ETag"]]


def test_success_can_redirect_and_failure_does_not(oss_client):
    target = "https://example.com/完成?a=1"
    form = oss_client.v4_form({"success_action_redirect": target})
    answer = oss_client.post(form)
    assert answer.status == 303
    assert answer.headers["Location"].encode("latin-1").decode() == target
    assert oss_client.post(form | {"key": "u/b"}).status == 403


def test_a_refusal_carries_the_documented_elements_and_headers(oss_client):
    answer = oss_client.post(oss_client.v4_form(FULL) | {"success_action_status": "204"})
    assert (answer.headers["Content-Type"], answer.headers["Server"]) == ("application/xml", "AliyunOSS")
    assert answer.headers["Date"].endswith("GMT")
    assert answer.headers["x-oss-ec"] == answer.element("EC") == "0006-00000227"
    assert answer.headers["x-oss-request-id"] == answer.element("RequestId")
    assert answer.element("HostId") == "examplebucket.oss-cn-hangzhou.aliyuncs.com"
    assert answer.element("RecommendDoc") == "https://api.aliyun.com/troubleshoot?q=0006-00000227"
    assert answer.element("Message").endswith('failed: ["eq", "$success_action_status", "200"]')
    answer = oss_client.post(oss_client.v4_form(region="cn-shanghai"))
    assert answer.element("ArgumentName") == "x-oss-credential"
    assert answer.element("ArgumentValue").endswith("/cn-shanghai/oss/aliyun_v4_request")
    unknown = oss_client.post(oss_client.v1_form(key="account") | {"OSSAccessKeyId": "LTAI<&"})
    assert unknown.element("OSSAccessKeyId") == "LTAI<&"
    body = error_xml(OssError(CONDITION_FAILED, 'half \ud800, bell \x07, "<&>"'), "1", "host")
    assert ElementTree.fromstring(body).findtext("Message") == 'half \ufffd, bell \ufffd, "<&>"'


@pytest.mark.parametrize(
    "missing", ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token"]
)
def test_a_v4_policy_must_bind_its_own_signature_fields(oss_client, missing):
    fields = {"key": KEY, **oss_client.v4_fields()}
    policy = oss_client.policy([{name: value} for name, value in fields.items() if name != missing])
    answer = oss_client.post({**fields, "policy": policy, "x-oss-signature": oss_client.v4_signature(policy)})
    assert answer.said == "403 AccessDenied 0006-00000226"
    assert f'["eq", "${missing}", ""]' in answer.element("Message")


@pytest.fixture
def slow_disk(oss, oss_clock, monkeypatch):
    """Let an upload take this long."""

    def take(real=oss.objects.new_file, **duration):
        oss_clock.tick(**duration)
        return real()

    return lambda **duration: monkeypatch.setattr(oss.objects, "new_file", lambda: take(**duration))


@pytest.mark.parametrize("is_refused", [True, False])
def test_a_policy_may_expire_while_the_upload_is_under_way(oss, oss_client, rules, slow_disk, is_refused):
    rules(form_expires_in_flight=is_refused)
    slow_disk(minutes=5)
    form, refusal = oss_client.v4_form(), "403 AccessDenied 0006-00000213"
    assert oss_client.post(form).said == (refusal if is_refused else "204")
    assert len(oss.objects) == (0 if is_refused else 1)
    # The next one begins too late.
    assert oss_client.post(form).said == refusal


@pytest.mark.parametrize(("more", "said"), [(0, "204"), (1, "400 RequestTimeout 0017-00000703")])
def test_an_upload_may_take_four_hours(oss, oss_client, oss_clock, slow_disk, more, said):
    form = oss_client.v4_form(expires=oss_clock.instant + timedelta(days=1))
    slow_disk(seconds=4 * 3600 + more)
    assert (oss_client.post(form).said, len(oss.objects)) == (said, 1 - more)


@pytest.mark.parametrize("key", ["u/图片 1+2%.jpg", "u/a\\b", "u/../../etc/passwd", "u/" + "x" * 1021])
def test_keys_are_names_and_never_paths(oss, oss_client, key):
    assert oss_client.post(oss_client.v4_form({"key": key})).status == 204
    assert oss.objects[key].path.parent == oss.objects.path_of("").parent
    assert oss.objects[key].path.read_bytes() == b"picture"


def test_the_content_md5_header_covers_the_whole_body(oss_client):
    body = oss_client.body(oss_client.part("file", b"picture", "a.jpg"))
    assert oss_client.send(body, {"Content-MD5": content_md5(body)}).status == 204
    for wrong in (content_md5(b"picture"), "", "AAAA", "%%%"):
        assert oss_client.send(body, {"Content-MD5": wrong}).said == "400 InvalidDigest 0017-00000502"


def test_only_a_signature_in_the_form_counts_and_the_object_name_never_goes_into_the_path(oss, oss_client):
    header = {"Authorization": "OSS4-HMAC-SHA256 x"}
    assert oss_client.post({"key": "u/a"}, headers=header).said == UNSIGNED
    body = oss_client.body(oss_client.part("file", "x"))
    for path in (f"/{KEY}", "/index.html?a=b"):
        assert oss_client.send(body, path=path).said.startswith("405 MethodNotAllowed")
    assert len(oss.objects) == 0
    assert oss_client.send(body, header).status == 204


def test_the_file_name_is_stored_but_in_no_response_and_not_copied(oss, oss_client):
    """The local WeChat judges by it; the real OSS knows nothing of it, so no answer may."""
    assert oss_client.post(oss_client.v4_form(), filename="risky-beach.jpg").status == 204
    for answer in (oss_client.call("HEAD", KEY), oss_client.call("GET", KEY)):
        assert answer.status == 200 and b"risky" not in answer.body + str(answer.headers).encode()
    oss_client.call("PUT", "u/b.jpg", headers={"x-oss-copy-source": f"/examplebucket/{KEY}"})
    names = [oss.objects.file_name_of(key) for key in (KEY, "u/b.jpg", "u/c.jpg")]
    assert names == ["risky-beach.jpg", None, None]


EXPIRATION = "2030-01-01T00:00:00.000Z"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def policy(*conditions, expiration=EXPIRATION, **options):
    text = json.dumps({"expiration": expiration, "conditions": conditions})
    return parse_policy(encoded(text), **options)


def check(condition, fields, **options):
    policy(condition).check_conditions(fields.get, **{"absent_meets_not_in": False, **options})


@cases("text", "cause")
def test_each_broken_document_has_its_cause(text, cause):
    assert refusal_of(parse_policy, encoded(text)) == f"400 InvalidPolicyDocument 0006-000002{cause}"


@cases("text")
def test_a_policy_is_base64_of_utf8_and_its_simple_conditions_have_one_property(text):
    good = encoded(f'{{"expiration":"{EXPIRATION}","conditions":[{{"a":"b"}}]}}')
    parse_policy(good)
    if text.startswith("{"):
        text = encoded(f'{{"expiration":"{EXPIRATION}","conditions":[{text}]}}')
    for wrong in (text, good[:-1], good + "\n", good[:8] + " " + good[8:]):
        assert "InvalidPolicyDocument" in refusal_of(parse_policy, wrong)


@cases("conditions", "cause")
def test_each_broken_condition_has_its_cause(conditions, cause):
    text = json.dumps({"expiration": EXPIRATION, "conditions": conditions})
    assert refusal_of(parse_policy, encoded(text)) == f"400 InvalidPolicyDocument 0006-000002{cause}"


@cases("text", "instant")
def test_an_expiration_is_a_gmt_instant_with_or_without_milliseconds(text, instant):
    if instant:
        assert policy({"a": "b"}, expiration=text).expires_at == datetime.fromisoformat(instant)
    else:
        assert "InvalidPolicyDocument" in refusal_of(policy, {"a": "b"}, expiration=text)


@cases("condition", "good", "bad", "printed")
def test_each_condition_lets_the_good_through_and_the_bad_not(condition, good, bad, printed):
    check(condition, {"key": good})
    with pytest.raises(OssError) as refused:
        check(condition, {"key": bad})
    assert refused.value.refusal.ec == "0006-00000227"
    assert refused.value.message == f"Invalid according to Policy: Policy Condition failed: {printed}"
    assert refusal_of(check, condition, {}).endswith("0006-00000226")


def test_an_absent_field_can_be_read_as_meeting_not_in_alone_and_the_dollar_be_demanded():
    check(["not-in", "$cache-control", ["no-cache"]], {}, absent_meets_not_in=True)
    assert refusal_of(check, ["starts-with", "$cache-control", ""], {}, absent_meets_not_in=True)
    assert refusal_of(policy, ["eq", "key", "a"], dollar_optional=False).endswith("0006-00000224")


def test_the_escaped_dollar_of_the_documentation_is_a_dollar():
    text = rf'{{"expiration":"{EXPIRATION}","conditions":[["eq","$key","a\/\${{filename}}\\$"]]}}'
    (condition,) = parse_policy(encoded(text)).conditions
    assert condition.operand == "a/${filename}\\$"
