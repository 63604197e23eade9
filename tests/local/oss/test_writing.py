"""PutObject, CopyObject, PutObjectACL and DeleteMultipleObjects, over HTTP."""

from dataclasses import replace

import pytest

from tests.local.oss.conftest import NOT_PERMITTED, content_md5
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
KEY, OTHER = "u/42/a b+c/图.jpg", "u/42/other.jpg"
PRIVATE = {"x-oss-object-acl": "private"}


@cases("headers", "refusal")
def test_each_wrong_header_has_its_refusal(headers, refusal, oss, oss_client):
    key = headers.get("key", KEY)
    assert oss_client.call("PUT", key, b"x", headers=headers).said.startswith(refusal)
    assert key not in oss.objects


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
    answer, copied = copy(), oss.objects[OTHER]
    assert answer.element("ETag") == f'"{source.etag}"' == answer.headers["ETag"]
    assert answer.element("LastModified") == "2026-11-24T14:00:00.000Z"
    same = {"key": KEY, "path": source.path, "acl": source.acl, "content_md5": source.content_md5}
    assert (replace(copied, **same), copied.acl) == (source, "default")
    for method in ("PUT", "DELETE"):
        oss_client.call(method, KEY, b"new" if method == "PUT" else None)
        assert oss_client.call("GET", OTHER).body == b"picture"


def test_a_copy_has_conditions_and_one_directive(source, copy):
    assert copy(copy_source_if_none_match=source.etag).status == 304
    assert copy(metadata_directive="MOVE").said.startswith("400 InvalidArgument")


def test_a_missing_source_shows_only_to_callers_that_may_list(source, rules, may, copy):
    rules(absence_told_to_listers_only=True)
    assert copy("u/none", key=may("oss:GetObject", "oss:PutObject")).said == NOT_PERMITTED
    assert copy("u/none").said.startswith("404 NoSuchKey")


@cases("named", "refusal")
def test_each_wrong_source_has_its_refusal(named, refusal, source, oss, oss_client):
    answer = oss_client.call("PUT", OTHER, headers={"x-oss-copy-source": named})
    assert answer.said.startswith(refusal)
    assert OTHER not in oss.objects


def test_changing_an_acl_keeps_other_attributes_and_it_is_read_with_its_owner(oss, oss_client):
    oss_client.call("PUT", KEY, b"x", headers={"Content-Type": "image/png"})
    before = oss.objects[KEY]
    assert oss_client.call("PUT", KEY, headers=PRIVATE, acl=None).status == 200
    assert oss.objects[KEY] == replace(before, acl="private")
    told = oss_client.call("GET", KEY, acl=None)
    assert told.element("AccessControlList/Grant") == "private"
    assert told.element("Owner/ID") and told.element("Owner/DisplayName")
    assert oss_client.call("GET", "none", acl=None).said.startswith("404 NoSuchKey")


@cases("key", "headers", "refusal")
def test_each_wrong_acl_has_its_refusal(key, headers, refusal, oss, oss_client):
    oss_client.call("PUT", KEY, b"x")
    assert oss_client.call("PUT", key, headers=headers, acl=None).said.startswith(refusal)
    assert oss.objects[KEY].acl == "default"


@pytest.fixture
def delete(oss_client):
    """Delete the object of this name, or what a whole document names."""

    def ask(wanted, md5=..., headers=None, **query):
        named = f"<Delete><Object><Key>{wanted}</Key></Object></Delete>".encode()
        body = wanted if isinstance(wanted, bytes) else named
        digest = {} if md5 is None else {"Content-MD5": content_md5(body) if md5 is ... else md5}
        sent = {"Content-Type": "application/xml", **digest, **(headers or {})}
        return oss_client.call("POST", "", body, headers=sent, delete=None, **query)

    return ask


def deleted(answer):
    assert answer.status == 200, answer.body
    return [each.findtext("Key") for each in answer.xml.findall("Deleted")]


@pytest.mark.parametrize(("is_digest", "code"), [(False, "InvalidArgument"), (True, "InvalidDigest")])
def test_a_body_without_its_digest_is_refused(is_digest, code, rules, delete, stored):
    rules(missing_md5_is_invalid_digest=is_digest)
    stored("u/a")
    assert delete("u/a", md5=None).said.startswith(f"400 {code}")
    for wrong in ("1B2M2Y8AsgTpgAmY7PhCfg==", "x", ""):
        assert delete("u/a", md5=wrong).said.startswith("400 InvalidDigest")
    assert stored() == ["u/a"]


@cases("document")
def test_each_malformed_document_is_refused(document, delete, stored):
    stored("a")
    assert delete(document.encode()).said.startswith("400 MalformedXML")
    assert stored() == ["a"]


@pytest.mark.parametrize("is_other", [False, True])
def test_the_kinds_of_encoding_are_switched(is_other, rules, delete, stored):
    rules(encoding_type_in_header=is_other, url2_known=is_other)
    assert deleted(delete("u/照", headers={"Encoding-Type": "url"})) == [
        "u%2F%E7%85%A7" if is_other else "u/照"
    ]
    stored("u/\x01 照", "u%2Fx")
    answer = delete("u%2F%01%20%E7%85%A7", **{"encoding-type": "url2"})
    if is_other:
        assert (deleted(answer), answer.element("EncodingType")) == (["u%2F%01%20%E7%85%A7"], "url2")
        assert delete("%FF", **{"encoding-type": "url2"}).said.startswith("400 InvalidObjectName")
    else:
        assert answer.said.startswith("400 InvalidArgument")
    assert ("u/\x01 照" in stored()) is not is_other
