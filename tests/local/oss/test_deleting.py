"""DeleteMultipleObjects: up to 1,000 keys at once, by a body that is checked."""

from urllib.parse import unquote
from xml.sax.saxutils import escape

import pytest

from tests.local.oss.conftest import NOT_PERMITTED, UNSIGNED, content_md5
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

ODD = ["u/a&b<c>.jpg", "u/照片 +%41.jpg"]


def body_of(*wanted, quiet=None):
    """Of keys, and pairs of key and version."""
    pairs = [(each, None) if isinstance(each, str) else each for each in wanted]
    objects = "".join(
        f"<Object><Key>{escape(key)}</Key>{f'<VersionId>{version}</VersionId>' if version else ''}</Object>"
        for key, version in pairs
    )
    said = "" if quiet is None else f"<Quiet>{str(quiet).lower()}</Quiet>"
    return f"<Delete>{said}{objects}</Delete>".encode()


@pytest.fixture
def delete(oss_client):
    def ask(*wanted, md5=..., key="account", headers=None, quiet=None, **query):
        body = wanted[0] if isinstance(wanted[0], bytes) else body_of(*wanted, quiet=quiet)
        sent = {} if md5 is None else {"Content-MD5": content_md5(body) if md5 is ... else md5}
        headers = {"Content-Type": "application/xml", **sent, **(headers or {})}
        query = {"delete": None, **{name.replace("_", "-"): value for name, value in query.items()}}
        return oss_client.call("POST", "", body, key, headers, **query)

    return ask


def told(answer, *names):
    assert answer.status == 200, answer.body
    found = answer.xml.findall("Deleted")
    return [tuple(each.findtext(name) for name in names) if names else each.findtext("Key") for each in found]


def test_the_answer_names_deleted_keys_and_those_that_were_not_there(delete, stored):
    stored(*ODD, "u/stays")
    answer = delete(*ODD, "u/never", encoding_type="url")
    assert [unquote(key) for key in told(answer)] == [*ODD, "u/never"]
    assert answer.element("EncodingType") == "url"
    assert stored() == ["u/stays"]
    assert told(delete(*ODD, quiet=False)) == ODD


def test_a_quiet_success_has_no_body(delete, stored):
    stored("u/a")
    answer = delete("u/a", quiet=True, encoding_type="url")
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "0", b"")
    assert answer.headers["Content-Type"] is None and stored() == []


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


def test_a_thousand_keys_are_the_most(delete):
    assert len(told(delete(*map(str, range(1000))))) == 1000


def test_the_answer_names_markers_and_versions(oss, delete, stored):
    oss.objects.versioning = "Enabled"
    stored("u/a", "u/b")
    version = oss.objects["u/b"].version
    names = ("Key", "VersionId", "DeleteMarker", "DeleteMarkerVersionId")
    (a, b) = told(delete("u/a", ("u/b", version)), *names)
    marker = a[-1]
    assert a == ("u/a", None, "true", marker) and marker.startswith("CAEQ")
    assert b == ("u/b", version, None, None)
    assert told(delete(("u/a", marker)), *names) == [("u/a", marker, "true", marker)]
    assert stored() == ["u/a"]


def test_deleting_many_objects_needs_its_right(delete, stored, may, oss_client):
    stored("u/a")
    assert oss_client.request("POST", "/?delete", body_of("u/a")).said == UNSIGNED
    allowed = may("oss:DeleteObject")
    for key, wanted in (
        (may("oss:DeleteObject", resource="acs:oss:*:*:examplebucket"), "u/a"),
        (allowed, ("u/a", "null")),
    ):
        assert delete(wanted, key=key).said == NOT_PERMITTED
    assert told(delete("u/a", key=allowed)) == ["u/a"]


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("refuses_all", [False, True])
def test_one_key_that_may_not_be_deleted_is_switched(refuses_all, names, rules, delete, stored, may):
    rules(one_key_refuses_all=refuses_all, failed_deletions_named=names)
    stored("u/a", "v/a")
    key = may("oss:DeleteObject")
    answer = delete("u/a", "v/a", key=key)
    if refuses_all:
        assert (answer.said, stored()) == (NOT_PERMITTED, ["u/a", "v/a"])
        return
    assert (told(answer), stored()) == (["u/a"], ["v/a"])
    failed = [(each.findtext("Key"), each.findtext("Code")) for each in answer.xml.findall("Error")]
    assert failed == ([("v/a", "AccessDenied")] if names else [])
    quiet = delete("u/a", "v/a", key=key, quiet=True)
    assert (quiet.status, b"<Deleted>" in quiet.body, b"<Error>" in quiet.body) == (200, False, names)


@pytest.mark.parametrize("is_other", [False, True])
def test_repeated_keys_and_the_kinds_of_encoding_are_switched(is_other, rules, delete, stored):
    rules(repeated_keys_told_once=is_other, encoding_type_in_header=is_other, url2_known=is_other)
    assert told(delete("u/a", "u/a")) == ["u/a"] * (1 if is_other else 2)
    answer = delete("u/照", headers={"Encoding-Type": "url"})
    assert told(answer) == ["u%2F%E7%85%A7" if is_other else "u/照"]
    stored("u/\x01 照", "u%2Fx")
    answer = delete("u%2F%01%20%E7%85%A7", encoding_type="url2")
    if is_other:
        assert (told(answer), answer.element("EncodingType")) == (["u%2F%01%20%E7%85%A7"], "url2")
        assert delete("%FF", encoding_type="url2").said.startswith("400 InvalidObjectName")
        assert stored() == ["u%2Fx"]
    else:
        assert answer.said.startswith("400 InvalidArgument")
