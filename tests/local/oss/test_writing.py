"""PutObject, CopyObject, DeleteObject and PutObjectACL, over HTTP."""

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from local.common.accounts import AccessKey
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY, OTHER = "u/42/a b+c/图.jpg", "u/42/other.jpg"
NOT_PERMITTED = (403, "AccessDenied", "0003-00000301")
EXISTS = (409, "FileAlreadyExists", "0026-00000002")


def md5(content):
    return base64.b64encode(hashlib.md5(content).digest()).decode()


@pytest.fixture
def session(oss, oss_client):
    """A session that may do what is named, and the name of its key."""

    def allow(*actions, folder="u"):
        resource = f"acs:oss:*:*:{oss.bucket.name}/{folder}/*"
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": [resource]}
        policy = {"Version": "1", "Statement": [statement]}
        name = f"STS.{'-'.join(actions)}{folder}"
        end = oss.bucket.now() + timedelta(hours=1)
        access_key = AccessKey(name, "secret", f"token-{name}", end, (policy,))
        oss_client.keys = {**oss_client.keys, name: access_key}
        oss.bucket.accounts.add(access_key)
        return name

    return allow


def test_a_put_object_comes_back_as_it_was_sent(oss, oss_client):
    sent = {
        "Content-Type": "image/jpeg",
        "Cache-Control": "max-age=60",
        "Content-Disposition": "inline",
        "x-oss-meta-owner": "42",
        "x-oss-storage-class": "IA",
        "Content-MD5": md5(b"picture"),
    }
    put = oss_client.call("PUT", KEY, b"picture", headers=sent)
    etag = f'"{hashlib.md5(b"picture").hexdigest().upper()}"'
    assert (put.status, put.body, put.headers["ETag"]) == (200, b"", etag)
    assert put.headers["Content-MD5"] == sent["Content-MD5"]
    head = oss_client.call("HEAD", KEY)
    told = {**sent, "ETag": etag, "Content-Length": "7", "x-oss-object-type": "Normal"}
    assert {name: head.headers[name] for name in told} == told
    assert head.headers["x-oss-hash-crc64ecma"] == put.headers["x-oss-hash-crc64ecma"]
    assert oss_client.call("GET", KEY).body == b"picture"


def test_a_put_without_headers_uses_the_defaults(oss, oss_client):
    oss_client.call("PUT", KEY, b"")
    assert (oss.objects[KEY].content_type, oss.objects[KEY].acl) == ("application/octet-stream", "default")


def test_a_put_url_accepts_exactly_the_signed_headers(oss, oss_client):
    signed = {"content-type": "image/jpeg", "content-length": "7"}
    url = oss_client.presigned("PUT", KEY, "account", headers=signed, additional=["content-length"])
    headers = {"Content-Type": "image/jpeg"}
    assert oss_client.request("PUT", url, b"picture", headers).status == 200
    for body, sent in ((b"pictures", headers), (b"picture", {"Content-Type": "application/json"})):
        assert oss_client.request("PUT", url, body, sent).refusal[:2] == (403, "SignatureDoesNotMatch")
    more = {**headers, "x-oss-object-acl": "private"}
    assert oss_client.request("PUT", url, b"picture", more).refusal[:2] == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("digest", [md5(b"another"), "", "bm8gTUQ1", "no base64", "图"])
def test_a_body_with_a_wrong_digest_is_not_stored(digest, oss, oss_client):
    headers = {"Content-MD5": digest.encode().decode("latin-1")}
    if digest == "图":
        url = oss_client.presigned("PUT", KEY, "account", headers={"content-md5": digest})
        answer = oss_client.request("PUT", url, b"picture", headers)
    else:
        answer = oss_client.call("PUT", KEY, b"picture", headers=headers)
    assert answer.refusal[:2] == (400, "InvalidDigest")
    assert KEY not in oss.objects


def test_a_put_needs_a_signature_and_permission_for_the_key(oss, oss_client):
    assert oss_client.request("PUT", "/u/42/a.jpg", b"x").refusal == (403, "AccessDenied", "0003-00000001")
    assert oss_client.call("PUT", "u/1", b"x", key="sts").status == 200
    assert oss_client.call("PUT", "v/1", b"x", key="sts").refusal == NOT_PERMITTED


def test_naming_an_acl_needs_a_right_of_its_own(oss, oss_client, session):
    headers = {"x-oss-object-acl": "private"}
    without, with_it = session("oss:PutObject"), session("oss:PutObject", "oss:PutObjectAcl")
    assert oss_client.call("PUT", KEY, b"x", without, headers).refusal == NOT_PERMITTED
    assert oss_client.call("PUT", KEY, b"x", with_it, headers).status == 200
    oss.bucket.rules = replace(oss.bucket.rules, acl_needs_permission=False)
    assert oss_client.call("PUT", KEY, b"x", without, headers).status == 200


def test_a_put_may_not_overwrite_where_that_is_forbidden(oss, oss_client):
    forbid = {"x-oss-forbid-overwrite": "true"}
    assert oss_client.call("PUT", KEY, b"first", headers=forbid).status == 200
    assert oss_client.call("PUT", KEY, b"second", headers=forbid).refusal == EXISTS
    assert oss_client.call("GET", KEY).body == b"first"
    assert oss_client.call("PUT", KEY, b"second").status == 200
    assert oss_client.call("GET", KEY).body == b"second"


@cases("headers", "refusal")
def test_each_wrong_header_has_its_refusal(headers, refusal, oss, oss_client):
    assert oss_client.call("PUT", KEY, b"x", headers=headers).refusal[:2] == refusal
    assert KEY not in oss.objects


@pytest.mark.parametrize("key", ["k" * 1024, "/a", "\\a"])
def test_a_name_that_oss_has_not_is_refused(key, oss, oss_client):
    assert oss_client.call("PUT", key, b"x").refusal[:2] == (400, "InvalidObjectName")


def copy(oss_client, source=KEY, target=OTHER, key="account", bucket="examplebucket", **headers):
    named = f"/{bucket}/{oss_client.path(source)[1:]}"
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return oss_client.call("PUT", target, key=key, headers={"x-oss-copy-source": named, **headers})


@pytest.fixture
def source(oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, block_public_access=False)
    sent = {
        "Content-Type": "image/jpeg",
        "Cache-Control": "no-store",
        "x-oss-meta-a": "1",
        "x-oss-object-acl": "public-read",
    }
    assert oss_client.call("PUT", KEY, b"picture", headers=sent).status == 200
    return oss.objects[KEY]


def test_a_copy_has_the_bytes_and_attributes_but_not_the_acl(source, oss, oss_client):
    answer = copy(oss_client)
    copied = oss.objects[OTHER]
    assert answer.element("ETag") == f'"{source.etag}"' == answer.headers["ETag"]
    assert answer.element("LastModified") == "2026-11-24T14:00:00.000Z"
    assert (
        replace(copied, key=KEY, path=source.path, acl=source.acl, content_md5=source.content_md5) == source
    )
    assert copied.acl == "default"
    assert oss_client.call("GET", OTHER).body == b"picture"


def test_a_copy_lives_on_when_its_source_is_changed_or_gone(source, oss, oss_client):
    copy(oss_client)
    oss_client.call("PUT", KEY, b"new")
    assert oss_client.call("GET", OTHER).body == b"picture"
    oss_client.call("DELETE", KEY)
    assert oss_client.call("GET", OTHER).body == b"picture"


@pytest.mark.parametrize(("directive", "target"), [("REPLACE", OTHER), ("COPY", KEY)])
def test_attributes_are_replaced_by_directive_or_on_a_copy_onto_itself(
    directive, target, source, oss, oss_client
):
    headers = {"content_type": "image/png", "x_oss_meta_b": "2", "x_oss_metadata_directive": directive}
    assert copy(oss_client, target=target, **headers).status == 200
    copied = oss.objects[target]
    assert (copied.content_type, copied.metadata, copied.headers) == ("image/png", {"b": "2"}, {})


def test_a_copy_guards_against_a_swapped_source_and_an_object_at_its_name(source, oss, oss_client):
    guarded = {"x_oss_copy_source_if_match": f'"{source.etag}"'}
    assert copy(oss_client, **guarded).status == 200
    assert copy(oss_client, x_oss_copy_source_if_match='"0"').refusal[:2] == (412, "PreconditionFailed")
    assert copy(oss_client, x_oss_forbid_overwrite="true").refusal == EXISTS
    assert copy(oss_client, x_oss_copy_source_if_none_match=source.etag).status == 304


def test_a_copy_needs_to_read_its_source_and_to_write_its_target(source, oss, oss_client, session):
    both = session("oss:GetObject", "oss:PutObject")
    assert copy(oss_client, key=session("oss:PutObject")).refusal == NOT_PERMITTED
    assert copy(oss_client, key=session("oss:GetObject")).refusal == NOT_PERMITTED
    assert copy(oss_client, key=both, target="v/1").refusal == NOT_PERMITTED
    assert copy(oss_client, key=both, x_oss_object_acl="private").refusal == NOT_PERMITTED
    assert copy(oss_client, key=both).status == 200


@cases("named", "refusal")
def test_each_wrong_source_has_its_refusal(named, refusal, source, oss, oss_client):
    answer = oss_client.call("PUT", OTHER, headers={"x-oss-copy-source": named})
    assert answer.refusal[:2] == refusal
    assert OTHER not in oss.objects


def test_a_missing_copy_source_is_reported_like_any_missing_object(source, oss, oss_client, session):
    reader = session("oss:GetObject", "oss:PutObject")
    assert copy(oss_client, "u/none", key=reader).refusal[:2] == (404, "NoSuchKey")
    oss.bucket.rules = replace(oss.bucket.rules, absence_told_to_listers_only=True)
    assert copy(oss_client, "u/none", key=reader).refusal == NOT_PERMITTED
    assert copy(oss_client, "u/none").refusal[:2] == (404, "NoSuchKey")


def test_a_copy_of_a_form_s_object_keeps_its_etag(oss, oss_client):
    posted = oss_client.post(oss_client.v4_form({"key": KEY}))
    assert copy(oss_client).headers["ETag"] == posted.headers["ETag"]


def test_an_unknown_metadata_directive_is_refused(source, oss_client):
    assert copy(oss_client, x_oss_metadata_directive="MOVE").refusal[:2] == (400, "InvalidArgument")


def test_a_delete_needs_permission_and_hides_whether_the_object_existed(oss, oss_client, session):
    allowed = session("oss:DeleteObject")
    oss_client.call("PUT", KEY, b"x")
    assert oss_client.call("DELETE", KEY, key="sts").refusal == NOT_PERMITTED
    assert [oss_client.call("DELETE", KEY, key=allowed).status for _ in range(2)] == [204, 204]


def test_changing_an_acl_needs_permission_and_keeps_other_attributes(oss, oss_client, session):
    oss_client.call("PUT", KEY, b"x", headers={"Content-Type": "image/png"})
    before, private = oss.objects[KEY], {"x-oss-object-acl": "private"}
    assert oss_client.call("PUT", KEY, key=session("oss:PutObject"), headers=private, acl=None).refusal == (
        NOT_PERMITTED
    )
    allowed = session("oss:PutObjectAcl")
    assert oss_client.call("PUT", KEY, key=allowed, headers=private, acl=None).status == 200
    assert oss.objects[KEY] == replace(before, acl="private")


def test_reading_an_acl_needs_its_own_permission(oss, oss_client, session):
    oss_client.call("PUT", KEY, b"x", headers={"x-oss-object-acl": "private"})
    allowed = session("oss:GetObjectAcl")
    told = oss_client.call("GET", KEY, key=allowed, acl=None)
    assert told.status == 200 and b"<Grant>private</Grant>" in told.body
    assert oss_client.call("GET", KEY, key=session("oss:GetObject"), acl=None).refusal == NOT_PERMITTED
    assert oss_client.call("GET", "none", acl=None).refusal[:2] == (404, "NoSuchKey")


@cases("key", "headers", "refusal")
def test_each_wrong_acl_has_its_refusal(key, headers, refusal, oss, oss_client):
    oss_client.call("PUT", KEY, b"x")
    assert oss_client.call("PUT", key, headers=headers, acl=None).refusal[:2] == refusal
    assert oss.objects[KEY].acl == "default"


def test_a_copy_needs_no_links_of_the_file_system(source, oss_client, monkeypatch):
    monkeypatch.setattr("os.link", lambda *paths: (_ for _ in ()).throw(OSError("no links here")))
    assert copy(oss_client).status == 200
    assert oss_client.call("GET", OTHER).body == b"picture"
