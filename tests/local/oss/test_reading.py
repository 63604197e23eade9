"""Who may read an object, what comes with it, conditions, ranges, versions and delete markers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from local.oss.conditions import check_conditions, read_range
from local.oss.versions import StoredObject
from tests.local.oss.conftest import UNSIGNED, refusal_of
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
KEY, ACL = "u/42/图片 1+2.jpg", "x-oss-object-acl"
MODIFIED = datetime(2026, 11, 24, 14, 0, 0, 500_000, tzinfo=UTC)
STORED = StoredObject("a", 1000, "ABC", "text/plain", MODIFIED, Path("a"))


@pytest.fixture
def store(oss_client):
    """Post an object with these fields; its answer."""

    def store(**fields):
        answer = oss_client.post(oss_client.v4_form({"key": KEY, **fields}))
        assert answer.status == 204
        return answer

    store()
    return store


@pytest.mark.parametrize("storage_class", ["Archive", "ColdArchive", "DeepColdArchive"])
def test_an_archived_object_has_a_head_but_cannot_be_read(oss_client, store, storage_class):
    store(**{"x-oss-storage-class": storage_class})
    copy = {"x-oss-copy-source": f"/examplebucket/{quote(KEY)}"}
    for method, headers, query in (
        ("GET", {}, {}),
        ("PUT", copy, {}),
        ("GET", {}, {"x-oss-process": "image/info"}),
    ):
        answer = oss_client.call(method, KEY, headers=headers, **query)
        assert answer.said.startswith("403 InvalidObjectState")
    assert oss_client.call("HEAD", KEY).headers["x-oss-storage-class"] == storage_class


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
def test_a_public_object_is_readable_until_public_access_is_blocked_and_its_versions_never(
    acl, rules, store, versioning, oss_client
):
    versioning("Enabled")
    for is_blocked in (False, True):
        rules(block_public_access=is_blocked)
        if not is_blocked:
            version = store(**{ACL: acl}).headers[VERSION]
        plain = oss_client.path(KEY)
        assert oss_client.request("GET", plain).said == (UNSIGNED if is_blocked else "200")
        assert oss_client.request("GET", f"{plain}?versionId={version}").said == UNSIGNED


def test_without_need_of_a_signature_a_wrong_one_and_replaced_headers_are_refused(rules, oss_client, store):
    rules(private_reads_need_signature=False)
    url, plain = oss_client.presigned("GET", KEY), oss_client.path(KEY)
    assert oss_client.request("GET", plain).body == b"picture"
    assert oss_client.request("DELETE", plain).said == UNSIGNED
    for method, target, said in (
        ("GET", url.replace("signature=", "signature=0"), "403 SignatureDoesNotMatch"),
        ("DELETE", url, "403 SignatureDoesNotMatch"),
        ("GET", f"{plain}?response-cache-control=no-store", "400 InvalidRequest"),
    ):
        assert oss_client.request(method, target).said.startswith(said)


def test_a_signed_query_may_replace_five_headers_of_the_answer_and_no_type(rules, store, oss_client):
    wanted = "attachment; filename*=UTF-8''%E5%9B%BE.jpg"
    names = ["Content-Language", "Expires", "Cache-Control", "Content-Disposition", "Content-Encoding"]
    for method in ("GET", "HEAD"):
        answer = oss_client.call(method, KEY, **{f"response-{name.lower()}": wanted for name in names})
        assert [answer.status, *(answer.headers[name] for name in names)] == [200, *[wanted] * 5]
    answer = oss_client.call("GET", KEY, **{"response-expires": "0\r\nSet-Cookie: a=b"})
    assert (answer.status, answer.headers["Set-Cookie"]) == (400, None)
    rules(response_type_fixed=False)
    html = oss_client.call("GET", KEY, **{"response-content-type": "text/html"})
    assert html.headers["Content-Type"] == "text/html"


def test_a_range_is_answered_with_a_part(store, oss_client):
    answer = oss_client.call("GET", KEY, headers={"Range": "bytes=2-4"})
    assert (answer.status, answer.body, answer.headers["Content-Range"]) == (206, b"ctu", "bytes 2-4/7")
    assert answer.headers["Content-Length"] == "3"
    assert oss_client.call("GET", KEY, headers={"Range": "bytes=5-9"}).body == b"picture"
    standard = {"Range": "bytes=7-", "x-oss-range-behavior": "standard"}
    assert oss_client.call("GET", KEY, headers=standard).said.startswith("416 InvalidRange")


@cases("asked", "plain", "standard")
def test_a_range_that_is_not_there_is_everything_or_standard(asked, plain, standard):
    assert read_range({"range": asked}, 1000) == plain
    headers = {"range": asked, "x-oss-range-behavior": "standard"}
    if standard == 416:
        assert refusal_of(read_range, headers, 1000).startswith("416 ")
    else:
        assert read_range(headers, 1000) == standard
    # An empty object has none.
    assert read_range({"range": asked}, 0) is None


@cases("headers", "status")
def test_each_condition_has_its_answer(headers, status):
    assert refusal_of(check_conditions, headers, STORED)[:3] == status
    # Those on the source of a copy go by names of their own.
    prefix = "x-oss-copy-source-"
    source = {f"{prefix}{name}": value for name, value in headers.items()}
    assert refusal_of(check_conditions, source, STORED, prefix)[:3] == status
    assert refusal_of(check_conditions, headers, STORED, prefix) == ""


def test_a_brief_head_tells_three_things_and_a_large_object_has_no_checksum(store, rules, oss_client):
    headers = set(oss_client.call("HEAD", KEY, objectMeta=None).headers)
    assert {"Content-Length", "ETag", "Last-Modified"} <= headers
    assert not {"Content-Type", "x-oss-object-type", "x-oss-storage-class"} & headers
    for most, has_one in ((7, True), (6, False)):
        rules(max_crc64_bytes=most)
        headers = oss_client.call("HEAD", KEY).headers
        assert [headers[name] is not None for name in ("x-oss-hash-crc64ecma", "Content-MD5")] == [
            has_one,
            False,
        ]


NAME = "u/42/照片 1.jpg"
NO_KEY = "404 NoSuchKey 0026-00000001"
MARKER, VERSION = "x-oss-delete-marker", "x-oss-version-id"


@pytest.fixture
def versioning(oss, oss_client):
    def switch(status):
        document = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>"
        return oss_client.call("PUT", "", document.encode(), versioning=None)

    return switch


@pytest.fixture
def put(oss_client):
    """Stores an object, and returns its version."""

    def store(body=b"abc", name=NAME, **headers):
        answer = oss_client.call("PUT", name, body, headers=headers)
        assert answer.status == 200, answer.body
        return answer.headers[VERSION]

    return store


@pytest.fixture
def versions_of(oss_client):
    """Kind, key, version and whether it is the latest, of each version in the order of a listing."""

    def ask(**query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        answer = oss_client.call("GET", "", versions=None, **query)
        assert answer.status == 200, answer.body
        found = [each for each in answer.xml if each.tag in ("Version", "DeleteMarker")]
        fields = ("Key", "VersionId", "IsLatest")
        return [(each.tag, *(each.findtext(name) or "" for name in fields)) for each in found]

    return ask


def get(oss_client, method="GET", name=NAME, **query):
    return oss_client.call(method, name, **query)


def test_versioning_is_switched_on_and_suspended_and_never_off(versioning, oss_client):
    def status():
        return oss_client.call("GET", "", versioning=None).element("Status")

    assert status() is None
    for wanted in ("Enabled", "Suspended", "Enabled"):
        assert (versioning(wanted).status, status()) == (200, wanted)
    for wrong in ("", "Off", "enabled"):
        assert versioning(wrong).said.startswith("400 MalformedXML")


def test_deleting_hides_and_deleting_the_marker_shows_again(oss, versioning, put, versions_of, oss_client):
    versioning("Enabled")
    one = put(b"one")
    gone = get(oss_client, "DELETE")
    assert (gone.status, gone.headers[MARKER]) == (204, "true")
    marker = gone.headers[VERSION]
    hidden = get(oss_client)
    assert (hidden.said, hidden.headers[MARKER], hidden.headers[VERSION]) == (NO_KEY, "true", marker)
    assert get(oss_client, "HEAD").headers[MARKER] == "true"
    assert oss_client.call("GET", "", **{"list-type": "2"}).element("KeyCount") == "0"
    assert versions_of() == [("DeleteMarker", NAME, marker, "true"), ("Version", NAME, one, "false")]
    assert get(oss_client, versionId=marker).said.startswith("405 MethodNotAllowed")
    back = get(oss_client, "DELETE", versionId=marker)
    assert (back.status, back.headers[MARKER], back.headers[VERSION]) == (204, "true", marker)
    # A marker's version may be gone by the next page.
    assert versions_of(key_marker=NAME, version_id_marker=marker) == [("Version", NAME, one, "true")]
    assert get(oss_client).body == b"one"
    last = get(oss_client, "DELETE", versionId=one)
    assert (last.status, last.headers[MARKER], last.headers[VERSION]) == (204, None, one)
    assert (get(oss_client).said, get(oss_client).headers[MARKER]) == (NO_KEY, None)
    assert versions_of() == [] == [*oss.objects.path_of("").parent.iterdir()]


def test_deleting_nothing_makes_a_marker_and_a_version_that_is_not_there_no_error(
    versioning, versions_of, oss_client
):
    versioning("Enabled")
    marker = get(oss_client, "DELETE").headers[VERSION]
    assert versions_of() == [("DeleteMarker", NAME, marker, "true")]
    for _ in range(2):
        assert get(oss_client, "DELETE", versionId=marker).status == 204
    assert versions_of() == []
    assert get(oss_client, versionId=marker).said.startswith("404 NoSuchVersion")
    assert get(oss_client, "DELETE", versionId="").said.startswith("400 InvalidArgument")


def test_versions_forbid_no_overwriting(versioning, put, begin, oss_client):
    put()
    versioning("Suspended")
    assert put(**{"x-oss-forbid-overwrite": "true"}) == "null"
    upload = begin(NAME, x_oss_forbid_overwrite="true")
    upload.part(1, b"x")
    done = upload.complete_all(x_oss_forbid_overwrite="true")
    assert (done.status, done.headers[VERSION]) == (200, "null")


@pytest.mark.parametrize("is_versioned", [False, True])
def test_an_object_under_retention_is_not_deleted(
    is_versioned, rules, versioning, put, oss_client, oss_clock
):
    if is_versioned:
        versioning("Enabled")
    rules(retention_days=2)
    version = put(b"one") or "null"
    by_version = {"versionId": version} if is_versioned else {}
    answers = [get(oss_client, "DELETE"), get(oss_client, "DELETE" if is_versioned else "PUT", **by_version)]
    assert [answer.said[:17] for answer in answers] == ["409 FileImmutable"] * 2
    oss_clock.instant += timedelta(days=2)
    assert get(oss_client, "DELETE").status == 204


def test_a_late_listing_shows_the_latest_change_from_the_second_time_on(rules, put, oss_client):
    rules(lists_are_late=True)
    for change, keys in ((put, ["0", "1"]), (lambda: get(oss_client, "DELETE"), ["1", "0"])):
        change()
        lists = [oss_client.call("GET", "", **{"list-type": "2"}) for _ in keys]
        assert [listed.element("KeyCount") for listed in lists] == keys
