"""PostObject against the running server: good forms pass, and each single change is refused."""

import base64
import hashlib
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import timedelta

import pytest

from local.oss.errors import CONDITION_FAILED, OssError, error_xml
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)

FULL = table_beside(__file__)["FULL"]
SIZES = ["content-length-range", 1, 1000]


def _rules(oss, **changes):
    oss.bucket.rules = replace(oss.bucket.rules, **changes)


def test_a_valid_v4_form_is_stored_with_all_its_attributes(oss, oss_client):
    answer = oss_client.post(oss_client.v4_form(FULL, [SIZES]))
    assert (answer.status, answer.body) == (200, b"")
    stored = oss.objects["u/42/a.jpg"]
    assert answer.headers["ETag"] == f'"{stored.etag}"'
    assert stored.etag == stored.etag.upper()
    assert len(bytes.fromhex(stored.etag)) == 16
    assert (stored.size, stored.content_type, stored.acl) == (7, "image/jpeg", "private")
    assert stored.headers == {"Cache-Control": "max-age=60"}
    assert stored.metadata == {"origin": "小程序"}
    assert stored.storage_class == "Standard"
    assert stored.path.read_bytes() == b"picture"


@pytest.mark.parametrize("key", ["account", "sts"])
def test_stores_a_good_v1_form(oss, oss_client, key):
    assert oss_client.post(oss_client.v1_form(key=key)).status == 204
    assert oss.objects["u/42/a.jpg"].size == 7


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
def test_field_names_may_be_spelled_in_any_case(oss, oss_client, change):
    form = {change(name): value for name, value in oss_client.v4_form(FULL, [SIZES]).items()}
    assert oss_client.post(form).status == 200


def test_extra_fields_are_accepted_and_unpinned_ones_decide(oss, oss_client):
    _rules(oss, block_public_access=False)
    form = oss_client.v1_form({"submit": "go", "x-oss-object-acl": "public-read"})
    assert oss_client.post(form).status == 204
    assert oss.objects["u/42/a.jpg"].acl == "public-read"


@cases("field", "value", "refusal")
def test_one_changed_field_is_refused(oss, oss_client, field, value, refusal):
    form = oss_client.v4_form(FULL, [SIZES])
    form.pop(field)
    if value is not None:
        form[field] = value
    answer = oss_client.post(form)
    assert answer.refusal == refusal
    assert "u/42/a.jpg" not in oss.objects


def test_a_refusal_carries_the_documented_elements_and_headers(oss, oss_client):
    form = oss_client.v4_form({"success_action_status": "200"}) | {"success_action_status": "204"}
    answer = oss_client.post(form)
    assert answer.headers["Content-Type"] == "application/xml"
    assert answer.headers["Server"] == "AliyunOSS"
    assert answer.headers["Date"].endswith("GMT")
    assert answer.headers["x-oss-ec"] == answer.element("EC") == "0006-00000227"
    assert answer.headers["x-oss-request-id"] == answer.element("RequestId")
    assert answer.element("HostId") == "examplebucket.oss-cn-hangzhou.aliyuncs.com"
    assert answer.element("RecommendDoc") == "https://api.aliyun.com/troubleshoot?q=0006-00000227"
    assert answer.element("Message") == (
        'Invalid according to Policy: Policy Condition failed: ["eq", "$success_action_status", "200"]'
    )


def test_a_refusal_names_the_argument_or_the_key_id(oss, oss_client):
    answer = oss_client.post(oss_client.v4_form(region="cn-shanghai"))
    assert answer.refusal == (400, "InvalidArgument", "0002-00000715")
    assert answer.element("ArgumentName") == "x-oss-credential"
    assert answer.element("ArgumentValue").endswith("/cn-shanghai/oss/aliyun_v4_request")
    unknown = oss_client.post(oss_client.v1_form(key="account") | {"OSSAccessKeyId": "LTAI<&"})
    assert unknown.refusal == (403, "InvalidAccessKeyId", "0002-00000902")
    assert unknown.element("OSSAccessKeyId") == "LTAI<&"


def test_characters_invalid_in_xml_are_replaced_in_an_error():
    body = error_xml(OssError(CONDITION_FAILED, 'half \ud800, bell \x07, "<&>"'), "1", "host")
    message = ElementTree.fromstring(body).findtext("Message")
    assert message == 'half \ufffd, bell \ufffd, "<&>"'


@pytest.mark.parametrize("conditions", [[{"bucket": "otherbucket"}], [["starts-with", "$bucket", "other"]]])
def test_the_bucket_is_the_one_addressed_and_no_field(oss, oss_client, conditions):
    form = oss_client.v1_form({"bucket": "otherbucket"}, conditions)
    answer = oss_client.post(form)
    assert answer.refusal == (403, "AccessDenied", "0006-00000227")
    assert '"$bucket"' in answer.element("Message")


@pytest.mark.parametrize(
    "missing", ["x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token"]
)
def test_a_v4_policy_must_bind_its_own_signature_fields(oss, oss_client, missing):
    fields = {"key": "u/42/a.jpg", **oss_client.v4_fields()}
    policy = oss_client.policy([{name: value} for name, value in fields.items() if name != missing])
    answer = oss_client.post({**fields, "policy": policy, "x-oss-signature": oss_client.v4_signature(policy)})
    assert answer.refusal == (403, "AccessDenied", "0006-00000226")
    assert f'["eq", "${missing}", ""]' in answer.element("Message")


def test_an_unsigned_form_is_refused(oss, oss_client):
    assert oss_client.post({"key": "u/a"}).refusal == (403, "AccessDenied", "0003-00000001")


@pytest.mark.parametrize(
    ("size", "refusal"), [(4, None), (3, "EntityTooSmall"), (8, None), (9, "EntityTooLarge")]
)
def test_the_size_range_is_inclusive(oss, oss_client, size, refusal):
    answer = oss_client.post(oss_client.v4_form(None, [["content-length-range", 4, 8]]), b"x" * size)
    if refusal is None:
        assert answer.status == 204
        return
    ec = {"EntityTooSmall": "0006-00000004", "EntityTooLarge": "0006-00000003"}[refusal]
    assert answer.refusal == (400, refusal, ec)
    assert len(oss.objects) == 0


def test_an_expired_policy_is_refused(oss, oss_client, oss_clock):
    form = oss_client.v4_form()
    oss_clock.tick(minutes=5, seconds=-1)
    assert oss_client.post(form).status == 204
    oss_clock.tick(seconds=1)
    answer = oss_client.post(form)
    assert answer.refusal == (403, "AccessDenied", "0006-00000213")


@pytest.fixture
def slow_disk(oss, oss_clock, monkeypatch):
    """Let an upload take this long."""

    def take(real=oss.objects.new_file, **duration):
        oss_clock.tick(**duration)
        return real()

    return lambda **duration: monkeypatch.setattr(oss.objects, "new_file", lambda: take(**duration))


@pytest.mark.parametrize("is_refused", [True, False])
def test_a_policy_may_expire_while_the_upload_is_under_way(oss, oss_client, slow_disk, is_refused):
    _rules(oss, form_expires_in_flight=is_refused)
    form = oss_client.v4_form()
    slow_disk(minutes=5)
    refusal = (403, "AccessDenied", "0006-00000213")
    answer = oss_client.post(form)
    assert (answer.refusal == refusal) if is_refused else (answer.status == 204)
    assert len(oss.objects) == (0 if is_refused else 1)
    # The next one begins too late.
    assert oss_client.post(form).refusal == refusal


@pytest.mark.parametrize(("seconds", "stored"), [(4 * 3600, 1), (4 * 3600 + 1, 0)])
def test_an_upload_may_take_four_hours(oss, oss_client, oss_clock, slow_disk, seconds, stored):
    form = oss_client.v4_form(expires=oss_clock.instant + timedelta(days=1))
    slow_disk(seconds=seconds)
    answer = oss_client.post(form)
    assert (answer.status == 204) if stored else (answer.refusal == (400, "RequestTimeout", "0017-00000703"))
    assert len(oss.objects) == stored


def test_an_expired_token_is_refused_although_the_policy_is_good(oss, oss_client, oss_clock):
    form = oss_client.v4_form(expires=oss_clock.instant + timedelta(hours=2))
    oss_clock.tick(hours=1)
    assert oss_client.post(form).refusal == (403, "SecurityTokenExpired", "0002-00000007")


def test_v1_can_be_retired(oss, oss_client):
    _rules(oss, v1_retired=True)
    answer = oss_client.post(oss_client.v1_form())
    assert answer.status == 403
    assert answer.element("EC") == "0002-00000080"


def test_the_session_policy_must_allow_the_key(oss, oss_client):
    answer = oss_client.post(oss_client.v4_form({"key": "elsewhere/a.jpg"}))
    assert answer.refusal == (403, "AccessDenied", "0003-00000301")


@pytest.mark.parametrize("acl", ["default", "private", "public-read"])
def test_an_acl_needs_its_own_permission_by_default(oss, oss_client, acl):
    only_put = {"Statement": [{"Effect": "Allow", "Action": "oss:PutObject", "Resource": "*"}]}
    key = replace(oss_client.keys["sts"], access_key_id="STS.NTOnlyPut", policies=(only_put,))
    oss.bucket.accounts.add(key)
    oss_client.keys = {"sts": key}
    _rules(oss, block_public_access=False)
    assert oss_client.post(oss_client.v4_form()).status == 204
    with_acl = oss_client.v4_form({"x-oss-object-acl": acl})
    assert oss_client.post(with_acl).refusal == (403, "AccessDenied", "0003-00000301")
    _rules(oss, acl_needs_permission=False)
    assert oss_client.post(with_acl).status == 204


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
@pytest.mark.parametrize("in_header", [True, False])
def test_a_session_that_is_denied_public_acls_stores_none_under_either_reading(
    oss, oss_client, acl, in_header
):
    every = {"Action": "*", "Resource": "*"}
    condition = {"StringEquals": {"oss:x-oss-object-acl": ["public-read", "public-read-write"]}}
    policy = {
        "Statement": [{"Effect": "Allow", **every}, {"Effect": "Deny", **every, "Condition": condition}]
    }
    key = replace(oss_client.keys["sts"], access_key_id="STS.NTNoPublic", policies=(policy,))
    oss.bucket.accounts.add(key)
    oss_client.keys = {"sts": key}
    for needs_permission in (True, False):
        _rules(oss, acl_needs_permission=needs_permission, block_public_access=False)
        for harmless in ("default", "private"):
            assert oss_client.post(oss_client.v4_form({"x-oss-object-acl": harmless})).status == 204
        if in_header:
            answer = oss_client.post(oss_client.v4_form(), headers={"x-oss-object-acl": acl})
        else:
            answer = oss_client.post(oss_client.v4_form({"x-oss-object-acl": acl}))
        assert answer.refusal == (403, "AccessDenied", "0003-00000301")


@pytest.mark.parametrize("acl", ["default", "private", "public-read", "public-read-write"])
def test_the_four_acls_are_known_and_public_ones_are_blocked_as_on_a_new_bucket(oss, oss_client, acl):
    form = oss_client.v4_form({"x-oss-object-acl": acl})
    answer = oss_client.post(form)
    if acl.startswith("public"):
        assert answer.refusal == (403, "AccessDenied", "0016-00000901")
        assert len(oss.objects) == 0
    _rules(oss, block_public_access=False)
    assert oss_client.post(form).status == 204
    assert oss.objects["u/42/a.jpg"].acl == acl


@pytest.mark.parametrize(
    ("fields", "status", "kept"),
    [
        ({"x-oss-forbid-overwrite": "true"}, 409, b"first"),
        ({}, 204, b"second"),
        ({"x-oss-forbid-overwrite": "false"}, 204, b"second"),
    ],
)
def test_forbid_overwrite_keeps_the_first_object_and_without_it_the_last_wins(
    oss, oss_client, fields, status, kept
):
    assert oss_client.post(oss_client.v4_form(), b"first").status == 204
    answer = oss_client.post(oss_client.v4_form(fields), b"second")
    assert answer.status == status
    assert status == 204 or answer.refusal == (409, "FileAlreadyExists", "0026-00000002")
    assert oss.objects["u/42/a.jpg"].path.read_bytes() == kept


@pytest.mark.parametrize("key", ["u/图片 1+2%.jpg", "u/a\\b", "u/../../etc/passwd", "u/" + "x" * 1021])
def test_keys_are_names_and_never_paths(oss, oss_client, key):
    assert oss_client.post(oss_client.v4_form({"key": key})).status == 204
    stored = oss.objects[key]
    assert stored.path.parent == oss.objects.path_of("").parent
    assert stored.path.read_bytes() == b"picture"


@pytest.mark.parametrize("key", ["/u/a", "\\u\\a", "u/" + "x" * 1022])
def test_keys_that_oss_does_not_take_are_refused(oss, oss_client, key):
    form = oss_client.v1_form({"key": key}, key="account")
    assert oss_client.post(form).refusal[:2] == (400, "InvalidObjectName")


def test_filename_in_the_key_is_expanded_after_the_policy_check(oss, oss_client):
    pinned = [["eq", "$key", "u/${filename}"]]
    assert (
        oss_client.post(oss_client.v1_form({"key": "u/${filename}"}, pinned), filename="猫.jpg").status == 204
    )
    assert "u/猫.jpg" in oss.objects
    expanded = oss_client.post(oss_client.v1_form({"key": "u/猫.jpg"}, pinned), filename="猫.jpg")
    assert expanded.refusal == (403, "AccessDenied", "0006-00000227")


def test_permission_is_checked_for_the_expanded_key(oss, oss_client):
    form = oss_client.v1_form({"key": "${filename}"}, [["starts-with", "$key", ""]], key="sts")
    assert oss_client.post(form, filename="elsewhere/a.jpg").refusal == (403, "AccessDenied", "0003-00000301")
    assert oss_client.post(form, filename="u/a.jpg").status == 204


def test_the_content_md5_header_covers_the_whole_body(oss, oss_client):
    file = oss_client.part("file", b"picture", "a.jpg")
    body = oss_client.body([*oss_client.field_parts(oss_client.v4_form()), file])
    digest = base64.b64encode(hashlib.md5(body).digest()).decode()
    assert oss_client.send(body, {"Content-MD5": digest}).status == 204
    of_the_file = base64.b64encode(hashlib.md5(b"picture").digest()).decode()
    for wrong in (of_the_file, "", "AAAA", "%%%"):
        answer = oss_client.send(body, {"Content-MD5": wrong})
        assert answer.refusal == (400, "InvalidDigest", "0017-00000502")


def test_a_signature_in_the_header_is_ignored(oss, oss_client):
    assert (
        oss_client.post(oss_client.v4_form(), headers={"Authorization": "OSS4-HMAC-SHA256 x"}).status == 204
    )


@pytest.mark.parametrize("path", ["/u/42/a.jpg", "/index.html?a=b"])
def test_the_object_name_never_goes_into_the_path(oss, oss_client, path):
    body = oss_client.body([*oss_client.field_parts(oss_client.v4_form()), oss_client.part("file", "x")])
    assert oss_client.send(body, path=path).refusal[:2] == (405, "MethodNotAllowed")
    assert len(oss.objects) == 0


def test_the_file_name_is_stored_but_in_no_response(oss, oss_client):
    """The local WeChat judges by it; the real OSS knows nothing of it, so no answer may."""
    assert oss_client.post(oss_client.v4_form(FULL, [SIZES]), filename="risky-beach.jpg").status == 200
    assert oss.objects.file_name_of("u/42/a.jpg") == "risky-beach.jpg"
    for answer in (oss_client.call("HEAD", "u/42/a.jpg"), oss_client.call("GET", "u/42/a.jpg")):
        assert answer.status == 200
        assert b"risky" not in answer.body + str(answer.headers).encode()


def test_missing_and_copied_objects_have_no_file_name(oss, oss_client):
    oss_client.post(oss_client.v4_form(FULL, [SIZES]), filename="risky-beach.jpg")
    copied = oss_client.call(
        "PUT", "u/42/b.jpg", headers={"x-oss-copy-source": f"/{oss.bucket.name}/u/42/a.jpg"}
    )
    assert copied.status == 200
    assert oss.objects.file_name_of("u/42/b.jpg") is None
    assert oss.objects.file_name_of("u/42/c.jpg") is None
