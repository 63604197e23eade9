"""Versions of objects: delete markers, what hides what, ListObjectVersions, retention."""

from datetime import timedelta

import pytest

from tests.local.oss.conftest import NOT_PERMITTED

KEY = "u/42/照片 1.jpg"
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

    def store(body=b"abc", name=KEY, **headers):
        answer = oss_client.call("PUT", name, body, headers=headers)
        assert answer.status == 200, answer.body
        return answer.headers[VERSION]

    return store


@pytest.fixture
def versions_of(oss_client):
    """Name, key, version and whether it is the latest, of each version in the order of a listing."""

    def ask(**query):
        query = {name.replace("_", "-"): value for name, value in query.items()}
        answer = oss_client.call("GET", "", versions=None, **query)
        assert answer.status == 200, answer.body
        found = [each for each in answer.xml if each.tag in ("Version", "DeleteMarker")]
        fields = ("Key", "VersionId", "IsLatest")
        return answer, [(each.tag, *(each.findtext(name) or "" for name in fields)) for each in found]

    return ask


def get(oss_client, method="GET", name=KEY, **query):
    return oss_client.call(method, name, **query)


def test_versioning_is_switched_on_and_suspended_and_never_off(versioning, oss_client):
    def status():
        return oss_client.call("GET", "", versioning=None).element("Status")

    assert status() is None
    for wanted in ("Enabled", "Suspended", "Enabled"):
        assert (versioning(wanted).status, status()) == (200, wanted)
    for wrong in ("", "Off", "enabled"):
        assert versioning(wrong).said.startswith("400 MalformedXML")


def test_overwriting_keeps_the_version_before(versioning, put, versions_of, oss_client):
    assert put(b"zero") is None
    versioning("Enabled")
    one, two = put(b"one"), put(b"two")
    assert get(oss_client).body == b"two" and get(oss_client).headers[VERSION] == two
    assert [get(oss_client, versionId=id).body for id in (two, one, "null")] == [b"two", b"one", b"zero"]
    assert versions_of()[1] == [
        ("Version", KEY, two, "true"),
        ("Version", KEY, one, "false"),
        ("Version", KEY, "null", "false"),
    ]


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
    assert versions_of()[1] == [("DeleteMarker", KEY, marker, "true"), ("Version", KEY, one, "false")]
    assert get(oss_client, versionId=marker).said.startswith("405 MethodNotAllowed")
    back = get(oss_client, "DELETE", versionId=marker)
    assert (back.status, back.headers[MARKER], back.headers[VERSION]) == (204, "true", marker)
    assert get(oss_client).body == b"one"
    last = get(oss_client, "DELETE", versionId=one)
    assert (last.status, last.headers[MARKER], last.headers[VERSION]) == (204, None, one)
    assert (get(oss_client).said, get(oss_client).headers[MARKER]) == (NO_KEY, None)
    assert versions_of()[1] == [] == [*oss.objects.path_of("").parent.iterdir()]


def test_while_suspended_there_is_one_version_called_null(oss, versioning, put, versions_of, oss_client):
    put(b"zero")
    versioning("Enabled")
    one = put(b"one")
    versioning("Suspended")
    assert put(b"two") == "null"
    assert get(oss_client, versionId="null").body == b"two"
    assert get(oss_client, "DELETE").headers[VERSION] == "null"
    assert versions_of()[1] == [("DeleteMarker", KEY, "null", "true"), ("Version", KEY, one, "false")]
    assert [*oss.objects.path_of("").parent.iterdir()] == [oss.objects.path_of(KEY, one)]
    assert put(b"three") == "null"
    assert [row[2] for row in versions_of()[1]] == ["null", one]
    assert get(oss_client, "DELETE", versionId="null").headers[MARKER] is None
    assert get(oss_client).body == b"one"


def test_deleting_nothing_makes_a_marker_and_a_version_that_is_not_there_no_error(
    versioning, versions_of, oss_client
):
    versioning("Enabled")
    marker = get(oss_client, "DELETE").headers[VERSION]
    assert versions_of()[1] == [("DeleteMarker", KEY, marker, "true")]
    for _ in range(2):
        assert get(oss_client, "DELETE", versionId=marker).status == 204
    assert versions_of()[1] == []
    assert get(oss_client, versionId=marker).said.startswith("404 NoSuchVersion")
    assert get(oss_client, "DELETE", versionId="").said.startswith("400 InvalidArgument")


def test_versions_forbid_no_overwriting(versioning, put, begin, oss_client):
    put()
    versioning("Suspended")
    assert put(**{"x-oss-forbid-overwrite": "true"}) == "null"
    upload = begin(KEY, x_oss_forbid_overwrite="true")
    upload.part(1, b"x")
    done = upload.complete_all(x_oss_forbid_overwrite="true")
    assert (done.status, done.headers[VERSION]) == (200, "null")


def test_copies_and_forms_tell_their_version(versioning, put, oss_client, oss):
    versioning("Enabled")
    put()
    source = f"/{oss.bucket.name}{oss_client.path(KEY)}"
    copied = oss_client.call("PUT", "u/copy", headers={"x-oss-copy-source": source})
    posted = oss_client.post(oss_client.v4_form({"key": "u/42/form"}))
    for name, answer in (("u/copy", copied), ("u/42/form", posted)):
        assert answer.headers[VERSION] == oss.objects[name].version


def test_pages_of_versions_follow_each_other(versioning, put, versions_of, oss_client):
    versioning("Enabled")
    for name in ("u/b", "u/a", "u/a", "v/c", "u/a"):
        put(name=name)
    get(oss_client, "DELETE", "u/a")
    everything, pages, markers = versions_of()[1], [], {}
    while True:
        answer, page = versions_of(max_keys="1", **markers)
        pages += page
        if answer.element("IsTruncated") == "false":
            break
        names = {"key_marker": "NextKeyMarker", "version_id_marker": "NextVersionIdMarker"}
        markers = {name: answer.element(element) for name, element in names.items()}
    assert pages == everything and len(everything) == 6
    assert versions_of(prefix="v")[1] == everything[-1:]
    assert versions_of(key_marker="u/a")[1] == everything[4:]
    # A marker's version may be gone by the next page.
    get(oss_client, "DELETE", "u/a", versionId=everything[1][2])
    assert versions_of(key_marker="u/a", version_id_marker=everything[1][2])[1] == everything[2:]
    answer, _ = versions_of(delimiter="/")
    assert [each.findtext("Prefix") for each in answer.xml.findall("CommonPrefixes")] == ["u/", "v/"]


def test_versions_have_rights_of_their_own(versioning, put, oss_client, rules, may):
    versioning("Enabled")
    rules(block_public_access=False)
    version = put(name="u/1", **{"x-oss-object-acl": "public-read"})
    plain, of_versions = (
        may("oss:GetObject", "oss:DeleteObject"),
        may("oss:GetObjectVersion", "oss:DeleteObjectVersion"),
    )
    for method, query, key, said in (
        *((method, {"versionId": version}, plain, NOT_PERMITTED) for method in ("GET", "DELETE")),
        ("GET", {}, plain, "200"),
        ("GET", {"versionId": version}, of_versions, "200"),
        ("DELETE", {}, of_versions, NOT_PERMITTED),
    ):
        assert oss_client.call(method, "u/1", key=key, **query).said == said
    assert oss_client.request("GET", "/u/1").status == 200
    assert oss_client.request("GET", f"/u/1?versionId={version}").status == 403
    assert oss_client.call("DELETE", "u/1", key=of_versions, versionId=version).status == 204
    lister = may("oss:ListObjectVersions", resource="acs:oss:*:*:examplebucket")
    for key, status in ((plain, 403), (lister, 200)):
        assert oss_client.call("GET", "", key=key, versions=None).status == status


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


@pytest.mark.parametrize(("is_late", "keys"), [(False, "1"), (True, "0")])
def test_a_late_listing_is_switched(is_late, keys, rules, put, oss_client):
    rules(lists_are_late=is_late)

    def count():
        return oss_client.call("GET", "", **{"list-type": "2"}).element("KeyCount")

    put()
    assert (count(), count()) == (keys, "1")
    get(oss_client, "DELETE")
    assert (count(), count()) == ("1" if is_late else "0", "0")
