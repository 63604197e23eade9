"""PutObject, CopyObject, DeleteObject and PutObjectACL, over HTTP, and the body that comes with them."""

from dataclasses import replace

import pytest

from local.oss.crc64 import crc64_of
from local.oss.storing import digest_of
from tests.local.oss.conftest import NOT_PERMITTED, content_md5, hex_md5, refusal_of, vectors
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY, OTHER = "u/42/a b+c/图.jpg", "u/42/other.jpg"
PRIVATE, FORBID = {"x-oss-object-acl": "private"}, {"x-oss-forbid-overwrite": "true"}
EXISTS = "409 FileAlreadyExists 0026-00000002"
DIGESTS = vectors("presigned_v4")["digests"]


def test_a_put_object_comes_back_as_it_was_sent(oss, oss_client):
    sent = {
        "Content-Type": "image/jpeg",
        "Cache-Control": "max-age=60",
        "Content-Disposition": "inline",
        "x-oss-meta-owner": "42",
        "x-oss-storage-class": "IA",
        "Content-MD5": content_md5(b"picture"),
    }
    put, etag = oss_client.call("PUT", KEY, b"picture", headers=sent), f'"{hex_md5(b"picture")}"'
    assert (put.status, put.body, put.headers["ETag"]) == (200, b"", etag)
    assert put.headers["Content-MD5"] == sent["Content-MD5"]
    head = oss_client.call("HEAD", KEY)
    told = {**sent, "ETag": etag, "Content-Length": "7", "x-oss-object-type": "Normal"}
    assert {name: head.headers[name] for name in told} == told
    assert head.headers["x-oss-hash-crc64ecma"] == put.headers["x-oss-hash-crc64ecma"]
    assert oss_client.call("GET", KEY).body == b"picture"
    oss_client.call("PUT", KEY, b"")
    assert (oss.objects[KEY].content_type, oss.objects[KEY].acl) == ("application/octet-stream", "default")


def test_a_put_url_accepts_exactly_the_signed_headers(oss_client):
    signed = {"content-type": "image/jpeg", "content-length": "7"}
    url = oss_client.presigned("PUT", KEY, headers=signed, additional=["content-length"])
    kind = {"Content-Type": "image/jpeg"}
    assert oss_client.request("PUT", url, b"picture", kind).status == 200
    for body, sent in (
        (b"pictures", kind),
        (b"picture", {"Content-Type": "application/json"}),
        (b"picture", kind | PRIVATE),
    ):
        assert oss_client.request("PUT", url, body, sent).said.startswith("403 SignatureDoesNotMatch")


def test_naming_an_acl_needs_a_right_of_its_own(oss_client, rules, may):
    without, with_it = may("oss:PutObject"), may("oss:PutObject", "oss:PutObjectAcl")
    assert oss_client.call("PUT", KEY, b"x", without, PRIVATE).said == NOT_PERMITTED
    assert oss_client.call("PUT", KEY, b"x", with_it, PRIVATE).status == 200
    rules(acl_needs_permission=False)
    assert oss_client.call("PUT", KEY, b"x", without, PRIVATE).status == 200


def test_a_put_may_not_overwrite_where_that_is_forbidden(oss_client):
    for headers, said, kept in ((FORBID, "200", b"200"), (FORBID, EXISTS, b"200"), ({}, "200", b"last")):
        body = b"last" if not headers else said[:3].encode()
        assert oss_client.call("PUT", KEY, body, headers=headers).said == said
        assert oss_client.call("GET", KEY).body == kept


@cases("headers", "refusal")
def test_each_wrong_header_has_its_refusal(headers, refusal, oss, oss_client):
    assert oss_client.call("PUT", KEY, b"x", headers=headers).said.startswith(refusal)
    assert KEY not in oss.objects


def test_a_digest_that_is_no_ascii_is_refused(oss, oss_client):
    url = oss_client.presigned("PUT", KEY, headers={"content-md5": "图"})
    answer = oss_client.request("PUT", url, b"x", {"Content-MD5": "图".encode().decode("latin-1")})
    assert (answer.said[:17], KEY in oss.objects) == ("400 InvalidDigest", False)


@pytest.mark.parametrize("key", ["k" * 1024, "/a", "\\a"])
def test_a_name_that_oss_has_not_is_refused(key, oss_client):
    assert oss_client.call("PUT", key, b"x").said.startswith("400 InvalidObjectName")


@cases("text")
def test_an_invalid_digest_is_refused_before_reading_the_body(text):
    assert refusal_of(digest_of, {"content-md5": text}).startswith("400 InvalidDigest")


def test_the_checksum_is_the_published_one(tmp_path):
    contents = (b"a" * 102400, b"b" * 102400, b"hello")
    published = [DIGESTS["crc64_check_123456789"], *(part["crc64ecma"] for part in DIGESTS["parts"])]
    for content, crc in zip(
        (b"123456789", *contents, b"".join(contents)),
        [*published, DIGESTS["object"]["crc64ecma"]],
        strict=True,
    ):
        (tmp_path / "data").write_bytes(content)
        assert str(crc64_of(tmp_path / "data")) == crc


@pytest.fixture
def copy(oss_client):
    """Copy an object with these headers, named by keyword."""

    def copy(source=KEY, target=OTHER, key="account", **headers):
        headers = {f"x-oss-{name.replace('_', '-')}": value for name, value in headers.items()}
        headers = {"content-type" if "content" in name else name: value for name, value in headers.items()}
        named = {"x-oss-copy-source": f"/examplebucket/{oss_client.path(source)[1:]}"}
        return oss_client.call("PUT", target, key=key, headers=named | headers)

    return copy


@pytest.fixture
def source(oss, oss_client, rules):
    rules(block_public_access=False)
    kind = {"Content-Type": "image/jpeg", "Cache-Control": "no-store"}
    sent = {**kind, "x-oss-meta-a": "1", "x-oss-object-acl": "public-read"}
    assert oss_client.call("PUT", KEY, b"picture", headers=sent).status == 200
    return oss.objects[KEY]


def test_a_copy_has_the_bytes_and_attributes_but_not_the_acl(source, oss, oss_client, copy, monkeypatch):
    # It needs no links of the file system.
    monkeypatch.setattr("os.link", lambda *paths: (_ for _ in ()).throw(OSError("no links here")))
    answer = copy()
    copied = oss.objects[OTHER]
    assert answer.element("ETag") == f'"{source.etag}"' == answer.headers["ETag"]
    assert answer.element("LastModified") == "2026-11-24T14:00:00.000Z"
    same = {"key": KEY, "path": source.path, "acl": source.acl, "content_md5": source.content_md5}
    assert (replace(copied, **same), copied.acl) == (source, "default")
    assert oss_client.call("GET", OTHER).body == b"picture"


def test_a_copy_lives_on_when_its_source_is_changed_or_gone(source, oss_client, copy):
    copy()
    for method in ("PUT", "DELETE"):
        oss_client.call(method, KEY, b"new" if method == "PUT" else None)
        assert oss_client.call("GET", OTHER).body == b"picture"


@pytest.mark.parametrize(("directive", "target"), [("REPLACE", OTHER), ("COPY", KEY)])
def test_attributes_are_replaced_by_directive_or_on_a_copy_onto_itself(directive, target, source, oss, copy):
    answer = copy(target=target, content_type="image/png", meta_b="2", metadata_directive=directive)
    copied = oss.objects[target]
    assert (answer.status, copied.content_type, copied.metadata, copied.headers) == (
        200,
        "image/png",
        {"b": "2"},
        {},
    )


def test_a_copy_guards_against_a_swapped_source_and_an_object_at_its_name(source, copy):
    assert copy(copy_source_if_match=f'"{source.etag}"').status == 200
    assert copy(copy_source_if_match='"0"').said.startswith("412 PreconditionFailed")
    assert copy(forbid_overwrite="true").said == EXISTS
    assert copy(copy_source_if_none_match=source.etag).status == 304
    assert copy(metadata_directive="MOVE").said.startswith("400 InvalidArgument")


def test_a_copy_needs_to_read_its_source_and_to_write_its_target(source, rules, may, copy):
    both = may("oss:GetObject", "oss:PutObject")
    for asked in (
        {"key": may("oss:PutObject")},
        {"key": may("oss:GetObject")},
        {"key": both, "target": "v/1"},
        {"key": both, "object_acl": "private"},
    ):
        assert copy(**asked).said == NOT_PERMITTED
    assert copy(key=both).status == 200
    # A missing source is reported as any missing object.
    assert copy("u/none", key=both).said.startswith("404 NoSuchKey")
    rules(absence_told_to_listers_only=True)
    assert copy("u/none", key=both).said == NOT_PERMITTED
    assert copy("u/none").said.startswith("404 NoSuchKey")


@cases("named", "refusal")
def test_each_wrong_source_has_its_refusal(named, refusal, source, oss, oss_client):
    answer = oss_client.call("PUT", OTHER, headers={"x-oss-copy-source": named})
    assert answer.said.startswith(refusal)
    assert OTHER not in oss.objects


def test_a_copy_of_a_form_s_object_keeps_its_etag(oss_client, copy):
    posted = oss_client.post(oss_client.v4_form({"key": KEY}))
    assert copy().headers["ETag"] == posted.headers["ETag"]


def test_changing_and_reading_an_acl_need_permission_and_keep_other_attributes(oss, oss_client, may):
    oss_client.call("PUT", KEY, b"x", headers={"Content-Type": "image/png"})
    before = oss.objects[KEY]
    for action, status in (("oss:PutObject", 403), ("oss:PutObjectAcl", 200)):
        assert oss_client.call("PUT", KEY, key=may(action), headers=PRIVATE, acl=None).status == status
    assert oss.objects[KEY] == replace(before, acl="private")
    told = oss_client.call("GET", KEY, key=may("oss:GetObjectAcl"), acl=None)
    assert told.element("AccessControlList/Grant") == "private"
    assert told.element("Owner/ID") and told.element("Owner/DisplayName")
    assert oss_client.call("GET", KEY, key=may("oss:GetObject"), acl=None).said == NOT_PERMITTED
    assert oss_client.call("GET", "none", acl=None).said.startswith("404 NoSuchKey")


@cases("key", "headers", "refusal")
def test_each_wrong_acl_has_its_refusal(key, headers, refusal, oss, oss_client):
    oss_client.call("PUT", KEY, b"x")
    assert oss_client.call("PUT", key, headers=headers, acl=None).said.startswith(refusal)
    assert oss.objects[KEY].acl == "default"
