"""DeleteMultipleObjects: up to 1,000 keys at once, by a body that is checked."""

import base64
import hashlib
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote
from xml.sax.saxutils import escape

import pytest

from local.common.accounts import AccessKey
from tests.local.oss.test_object_list import lister  # noqa: F401  # a fixture
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "presigned_v4.json").read_text("utf-8"))
CONTENT_MD5 = VECTORS["digests"]["content_md5"]
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
    def ask(body, md5=..., key="account", headers=None, **query):
        digest = base64.b64encode(hashlib.md5(body).digest()).decode()
        sent = {} if md5 is None else {"Content-MD5": digest if md5 is ... else md5}
        headers = {"Content-Type": "application/xml", **sent, **(headers or {})}
        query = {"delete": None, **{name.replace("_", "-"): value for name, value in query.items()}}
        return oss_client.call("POST", "", body, key, headers, **query)

    return ask


@pytest.fixture
def stored(oss, oss_client):
    """Stores objects, and returns what there is when it is called without any."""

    def store(*names):
        assert all(oss_client.call("PUT", name, b"abc").status == 200 for name in names)
        return sorted(oss.objects)

    return store


def told(answer, *names):
    assert answer.status == 200, answer.body
    return [
        tuple(each.findtext(name) for name in names or ("Key",)) for each in answer.xml.findall("Deleted")
    ]


def test_the_answer_names_deleted_keys_and_those_that_were_not_there(delete, stored):
    stored(*ODD, "u/stays")
    answer = delete(body_of(*ODD, "u/never"), encoding_type="url")
    assert [unquote(key) for (key,) in told(answer)] == [*ODD, "u/never"]
    assert answer.element("EncodingType") == "url"
    assert stored() == ["u/stays"]
    assert told(delete(body_of(*ODD, quiet=False))) == [(key,) for key in ODD]


def test_a_quiet_success_has_no_body(delete, stored):
    stored("u/a")
    answer = delete(body_of("u/a", quiet=True), encoding_type="url")
    assert (answer.status, answer.headers["Content-Length"], answer.body) == (200, "0", b"")
    assert answer.headers["Content-Type"] is None and stored() == []


@pytest.mark.parametrize("vector", CONTENT_MD5, ids=range(len(CONTENT_MD5)))
def test_digests_of_bodies_are_those_of_other_implementations(vector, oss_client):
    for digest, status in ((vector["content_md5"], 200), ("1B2M2Y8AsgTpgAmY7PhCfA==", 400)):
        sent = {"Content-MD5": digest}
        assert oss_client.call("PUT", "u/a", vector["body"].encode(), headers=sent).status == status


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("h-list", 200, None),
        # A token that nobody here made.
        ("h-list-next-page", 400, "InvalidArgument"),
        ("h-list-versions", 200, None),
        ("h-list-uploads", 200, None),
        ("h-delete-version", 204, None),
        ("h-delete-many", 200, None),
    ],
)
def test_calls_of_the_official_client_are_admitted(name, status, code, oss, oss_client, oss_clock):
    vector = next(each for each in VECTORS["header"] if each["name"] == name)
    oss.bucket.accounts.add(AccessKey(*vector["credentials"].values()))
    oss_clock.instant = datetime.fromisoformat(vector["date_iso"])
    oss.objects.versioning = "Enabled"
    expected = vector["expected"]
    headers = expected["headers_to_send"] | {"Authorization": expected["authorization"]}
    query = oss_client.canonical_query({mark: value or "" for mark, value in vector["queries"].items()})
    # The SDKs write the empty value, which the signature leaves out.
    target = f"{oss_client.path(vector['key'])}?{query.replace('delete&', 'delete=&')}"
    answer = oss_client.request(vector["method"], target, vector.get("body", "").encode(), headers)
    assert (answer.status, answer.element("Code") if code else None) == (status, code), answer.body


@pytest.mark.parametrize(("is_digest", "code"), [(False, "InvalidArgument"), (True, "InvalidDigest")])
def test_a_body_without_its_digest_is_refused(is_digest, code, oss, delete, stored):
    oss.bucket.rules = replace(oss.bucket.rules, missing_md5_is_invalid_digest=is_digest)
    stored("u/a")
    assert delete(body_of("u/a"), md5=None).refusal[:2] == (400, code)
    for wrong in ("1B2M2Y8AsgTpgAmY7PhCfg==", "x", ""):
        assert delete(body_of("u/a"), md5=wrong).refusal[:2] == (400, "InvalidDigest")
    assert stored() == ["u/a"]


@cases("document")
def test_each_malformed_document_is_refused(document, delete, stored):
    stored("a")
    assert delete(document.encode()).refusal[:2] == (400, "MalformedXML")
    assert stored() == ["a"]


def test_a_thousand_keys_are_the_most(delete):
    assert len(told(delete(body_of(*map(str, range(1000)))))) == 1000


def test_the_answer_names_markers_and_versions(oss, delete, stored):
    oss.objects.versioning = "Enabled"
    stored("u/a", "u/b")
    version = oss.objects["u/b"].version
    names = ("Key", "VersionId", "DeleteMarker", "DeleteMarkerVersionId")
    (a, b) = told(delete(body_of("u/a", ("u/b", version))), *names)
    marker = a[-1]
    assert a == ("u/a", None, "true", marker) and marker.startswith("CAEQ")
    assert b == ("u/b", version, None, None)
    (again,) = told(delete(body_of(("u/a", marker))), *names)
    assert again == ("u/a", marker, "true", marker)
    assert stored() == ["u/a"]


def test_deleting_many_objects_needs_its_right(delete, stored, lister, oss_client):  # noqa: F811
    stored("u/a")
    assert oss_client.request("POST", "/?delete", body_of("u/a")).refusal[:2] == (403, "AccessDenied")
    lister("oss:DeleteObject", resource="acs:oss:*:*:examplebucket", prefixes=())
    assert delete(body_of("u/a"), key="lister").refusal[:2] == (403, "AccessDenied")
    lister("oss:DeleteObject", resource="acs:oss:*:*:examplebucket/u/*", prefixes=())
    assert delete(body_of(("u/a", "null")), key="lister").refusal[:2] == (403, "AccessDenied")
    assert told(delete(body_of("u/a"), key="lister")) == [("u/a",)]


@pytest.mark.parametrize("names", [False, True])
@pytest.mark.parametrize("refuses_all", [False, True])
def test_one_key_that_may_not_be_deleted_is_switched(refuses_all, names, oss, delete, stored, lister):  # noqa: F811
    oss.bucket.rules = replace(
        oss.bucket.rules, one_key_refuses_all=refuses_all, failed_deletions_named=names
    )
    stored("u/a", "v/a")
    lister("oss:DeleteObject", resource="acs:oss:*:*:examplebucket/u/*", prefixes=())
    answer = delete(body_of("u/a", "v/a"), key="lister")
    if refuses_all:
        assert (answer.refusal[:2], stored()) == ((403, "AccessDenied"), ["u/a", "v/a"])
        return
    assert (told(answer), stored()) == ([("u/a",)], ["v/a"])
    failed = [(each.findtext("Key"), each.findtext("Code")) for each in answer.xml.findall("Error")]
    assert failed == ([("v/a", "AccessDenied")] if names else [])
    quiet = delete(body_of("u/a", "v/a", quiet=True), key="lister")
    assert (quiet.status, b"<Deleted>" in quiet.body, b"<Error>" in quiet.body) == (200, False, names)


def test_retention_refuses_as_a_missing_right_does(oss, delete, stored):
    stored("u/a")
    oss.bucket.rules = replace(oss.bucket.rules, retention_days=1)
    assert delete(body_of("u/a")).refusal[:2] == (409, "FileImmutable")
    oss.bucket.rules = replace(oss.bucket.rules, one_key_refuses_all=False)
    assert (told(delete(body_of("u/a", "u/never"))), stored()) == ([("u/never",)], ["u/a"])


@pytest.mark.parametrize(("is_once", "times"), [(False, 2), (True, 1)])
def test_a_repeated_key_is_switched(is_once, times, oss, delete):
    oss.bucket.rules = replace(oss.bucket.rules, repeated_keys_told_once=is_once)
    assert told(delete(body_of("u/a", "u/a"))) == [("u/a",)] * times


@pytest.mark.parametrize("is_read", [False, True])
def test_an_encoding_type_in_the_header_is_switched(is_read, oss, delete):
    oss.bucket.rules = replace(oss.bucket.rules, encoding_type_in_header=is_read)
    answer = delete(body_of("u/照"), headers={"Encoding-Type": "url"})
    assert told(answer) == [("u%2F%E7%85%A7" if is_read else "u/照",)]


def test_url2_is_switched(oss, delete, stored):
    stored("u/\x01 照", "u%2Fx")
    encoded = body_of("u%2F%01%20%E7%85%A7")
    assert delete(encoded, encoding_type="url2").refusal[:2] == (400, "InvalidArgument")
    oss.bucket.rules = replace(oss.bucket.rules, url2_known=True)
    answer = delete(encoded, encoding_type="url2")
    assert (told(answer), answer.element("EncodingType")) == ([("u%2F%01%20%E7%85%A7",)], "url2")
    assert stored() == ["u%2Fx"]
    assert delete(body_of("%FF"), encoding_type="url2").refusal[:2] == (400, "InvalidObjectName")
