"""A signed form admits the one upload it was signed for, and nothing else."""

import hashlib
import hmac
import json
import logging
from base64 import b64decode, b64encode
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from local.oss.presign import presigned_url
from local.oss.rules import OssRules
from local.oss.server import OssServer
from tests.end_to_end.conftest import BUCKET, OWN, REGION, fields_of_a_page, post_form, send
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(56)
VERSIONS = ["v4", "v1"]
PROFILES = """
[default]
key = "uploads/{owner}/{id}{ext}"
max_size = "1KiB"
min_size = 8
content_types = ["image/*"]
cache_control = "no-cache"
content_disposition = "inline"
storage_class = "IA"
metadata = {source = "mini"}
[public]
key = "public/{id}{ext}"
max_size = "1KiB"
content_types = ["image/png"]
acl = "public-read"
overwrite = true
[page]
key = "test/{filename}"
max_size = "1KiB"
[post]
key = "posts/{owner}/{id}{ext}"
max_size = "1KiB"
content_types = ["image/*"]
acl = "public-read"
confirm = true
hold = ["commit"]
"""


@pytest.fixture
def cloud(services):
    # It must be the form that keeps an object from being public, not the bucket.
    services.oss.bucket.rules = OssRules(block_public_access=False)
    return services


@pytest.fixture
def function(cloud, instance, profiles_file):
    settings = {**cloud.settings, "PROFILES_FILE": profiles_file(PROFILES)}
    return lambda version="v4": instance(OSS_SIGNATURE_VERSION=version, **settings)


@pytest.fixture
def form(function):
    def ask(version="v4", **body):
        answer = function(version).ask(body={"contentType": "image/png", **body})
        assert answer.status == 200, answer.text
        return answer.json

    return ask


def post(url, fields, content=PNG, **kind):
    return post_form(url, fields, content, **kind)


def oss_code(response):
    return ElementTree.fromstring(response.content).findtext("Code")


def get(cloud, key):
    """An object, read by the account itself: it is private."""
    url = presigned_url(cloud.oss.origin, cloud.oss.bucket, OWN, key)
    return send("GET", url)


def refused(response, cloud):
    return 400 <= response.status_code < 500 and not len(cloud.oss.objects)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_good_form_is_taken_and_the_object_is_as_signed(cloud, form, version):
    answer = form(version, size=len(PNG))
    response = post(answer["url"], answer["formData"])
    assert response.status_code == 200, response.text
    read = get(cloud, answer["key"])
    assert read.content == PNG
    assert read.headers["Content-Type"] == "image/png"
    assert read.headers["Cache-Control"] == "no-cache"
    assert read.headers["Content-Disposition"] == "inline"
    assert read.headers["x-oss-storage-class"] == "IA"
    assert read.headers["x-oss-meta-source"] == "mini"


def field_names(version):
    common = [
        *("key", "success_action_status", "x-oss-content-type", "x-oss-forbid-overwrite"),
        *("x-oss-object-acl", "x-oss-security-token", "Cache-Control", "Content-Disposition"),
        *("x-oss-storage-class", "x-oss-meta-source", "policy"),
    ]
    if version == "v1":
        return [*common, "OSSAccessKeyId", "signature"]
    return [*common, "x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-signature"]


FIELDS = [(version, name) for version in VERSIONS for name in field_names(version)]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_table_below_has_every_field_of_the_form(form, version):
    assert set(form(version)["formData"]) == set(field_names(version))


@pytest.mark.parametrize(("version", "name"), FIELDS)
def test_a_form_with_one_field_changed_is_refused(cloud, form, version, name):
    answer = form(version)
    good = answer["formData"][name]
    for value in {f"{good}x", f"x{good}", "", "true", "false", "public-read-write"} - {good}:
        assert refused(post(answer["url"], {**answer["formData"], name: value}), cloud), value


@pytest.mark.parametrize(("version", "name"), FIELDS)
def test_a_form_with_one_field_dropped_is_refused(cloud, form, version, name):
    answer = form(version)
    fields = {field: value for field, value in answer["formData"].items() if field != name}
    assert refused(post(answer["url"], fields), cloud)


@pytest.mark.parametrize(("version", "name"), FIELDS)
@pytest.mark.parametrize("comes_first", [True, False])
def test_a_second_copy_of_a_field_with_another_value_is_refused(cloud, form, version, name, comes_first):
    answer = form(version)
    pairs = list(answer["formData"].items())
    pairs.insert(0 if comes_first else len(pairs), (name, "public-read" if "acl" in name else "other"))
    assert refused(post(answer["url"], pairs), cloud)


@cases("field", "value")
def test_a_form_accepts_no_other_key_or_acl(cloud, form, field, value):
    answer = form()
    assert refused(post(answer["url"], {**answer["formData"], field: value}), cloud)


@cases("field", "value")
def test_options_unset_in_the_profile_cannot_be_added_to_the_form(cloud, form, field, value):
    answer = form(profile="public")
    assert refused(post(answer["url"], {**answer["formData"], field: value}), cloud)
    assert post(answer["url"], answer["formData"]).status_code == 200
    (stored,) = cloud.oss.objects.values()
    assert (stored.storage_class, stored.headers["Content-Disposition"]) == ("Standard", "inline")


@cases("announced", "size", "code")
def test_a_size_is_taken_in_the_range_or_as_announced(cloud, form, announced, size, code):
    answer = form(size=announced) if announced else form()
    response = post(answer["url"], answer["formData"], bytes(size))
    assert refused(response, cloud) is bool(code)
    if code:
        assert oss_code(response) == code


@pytest.mark.parametrize("part_type", ["text/html", "image/svg+xml", "", "application/octet-stream"])
def test_whatever_type_the_platform_writes_the_stored_one_is_the_signed_one(cloud, form, part_type):
    answer = form()
    assert post(answer["url"], answer["formData"], part_type=part_type).status_code == 200
    assert get(cloud, answer["key"]).headers["Content-Type"] == "image/png"


def test_a_form_stores_one_object_once(cloud, form):
    answer = form()
    assert post(answer["url"], answer["formData"]).status_code == 200
    again = post(answer["url"], answer["formData"], b"another picture")
    assert (again.status_code, oss_code(again)) == (409, "FileAlreadyExists")
    assert get(cloud, answer["key"]).content == PNG


def test_a_form_can_store_a_deleted_object_again_until_it_expires(cloud, form, clock):
    """Known, and documented: nothing but its expiry takes a form back from its holder."""
    answer = form()
    for _ in range(2):
        assert post(answer["url"], answer["formData"]).status_code == 200
        cloud.oss.objects.delete(answer["key"])
    clock.tick(seconds=301)
    assert refused(post(answer["url"], answer["formData"]), cloud)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_form_ends_with_its_expiry(cloud, form, clock, version):
    answer = form(version)
    clock.tick(seconds=299)
    assert post(answer["url"], answer["formData"]).status_code == 200
    answer = form(version)
    clock.tick(seconds=301)
    response = post(answer["url"], answer["formData"])
    assert response.status_code == 403
    assert "Policy expired" in response.text


def resign(answer, credentials, conditions, version="v4", expiration="2099-01-01T00:00:00.000Z"):
    """The same form as a signer would give it that put other conditions into the policy."""
    document = {"expiration": expiration, "conditions": conditions}
    policy = b64encode(json.dumps(document).encode()).decode()
    secret = credentials.access_key_secret
    if version == "v1":
        signature = b64encode(hmac.new(secret.encode(), policy.encode(), hashlib.sha1).digest()).decode()
        return {**answer["formData"], "policy": policy, "signature": signature}
    key = ("aliyun_v4" + secret).encode()
    for part in (*answer["formData"]["x-oss-credential"].split("/")[1:3], "oss", "aliyun_v4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, policy.encode(), hashlib.sha256).hexdigest()
    return {**answer["formData"], "policy": policy, "x-oss-signature": signature}


def role_key(cloud, answer):
    form = answer["formData"]
    return cloud.accounts.find(form.get("OSSAccessKeyId") or form["x-oss-credential"].split("/")[0])


def policy_of(answer):
    return json.loads(b64decode(answer["formData"]["policy"]))


# For each condition the signer emits: what a client could do if it were not there. That each of these
# uploads succeeds without its condition shows that the condition, and nothing else, forbids it.
@cases("dropped", "change")
def test_each_condition_alone_forbids_its_attack(cloud, form, dropped, change):
    content = PNG if change else bytes(2000)
    answer = form()
    attack = {**answer["formData"], **change}
    assert refused(post(answer["url"], attack, content), cloud)
    left = [condition for condition in policy_of(answer)["conditions"] if dropped not in condition]
    assert len(left) == len(policy_of(answer)["conditions"]) - 1
    weaker = {**resign(answer, role_key(cloud, answer), left), **change}
    response = post(answer["url"], weaker, content)
    assert response.status_code in (200, 204), response.text


@pytest.mark.parametrize("version", VERSIONS)
def test_the_bucket_condition_keeps_a_form_out_of_another_bucket(cloud, form, tmp_path, clock, version):
    answer = form(version)
    key = role_key(cloud, answer)
    # A session that may write everywhere: what keeps the form out is then the condition alone.
    cloud.accounts.add(replace(key, policies=()))
    other = OssServer(cloud.accounts, "other-bucket", REGION, tmp_path / "other", now=clock).start()
    try:
        response = post(other.origin, answer["formData"])
        assert response.status_code == 403
        assert "$bucket" in response.text
        assert not len(other.objects)
        left = [condition for condition in policy_of(answer)["conditions"] if "bucket" not in condition]
        assert post(other.origin, resign(answer, key, left, version)).status_code == 200
    finally:
        other.stop()


@pytest.mark.parametrize("key", ["secrets/x.png", "uploads-not/x.png", "x.png"])
def test_a_self_made_policy_cannot_leave_the_session_s_folders(cloud, form, key):
    """What someone could do who had got hold of the temporary secret itself."""
    answer = form()
    wide = [
        condition
        for condition in policy_of(answer)["conditions"]
        if "key" not in condition and "content-length-range" not in condition
    ]
    response = post(answer["url"], {**resign(answer, role_key(cloud, answer), wide), "key": key})
    assert refused(response, cloud)
    assert "authorizer" in response.text


def elsewhere(answer):
    """Where an upload would be seen at once, or would decide about itself."""
    return [
        answer["key"],
        "posts/public/other.png",
        f"held/.decided/{answer['uploadId']}",
        f"held/.accepted/{answer['uploadId']}",
        f"held/{answer['key']}.other",
        "held/posts/somebody-else/a.png",
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_held_form_stores_a_private_object_below_held(cloud, form, version):
    answer = form(version, profile="post")
    assert post(answer["url"], answer["formData"]).status_code == 200
    (stored,) = cloud.oss.objects.values()
    assert (stored.key, stored.acl) == (f"held/{answer['key']}", "private")
    rules = answer["formData"]["x-oss-meta-rules"]
    assert stored.metadata == {"upload-id": answer["uploadId"], "rules": rules}


@pytest.mark.parametrize("number", range(6))
def test_a_held_form_accepts_no_other_key(cloud, form, number):
    answer = form(profile="post")
    response = post(answer["url"], {**answer["formData"], "key": elsewhere(answer)[number]})
    assert refused(response, cloud)
    assert "Policy Condition failed" in response.text


@pytest.mark.parametrize("number", range(4))
def test_stolen_upload_credentials_write_no_published_key_and_no_record(cloud, form, number):
    answer = form(profile="post")
    wide = [{"bucket": BUCKET}, {"success_action_status": "200"}]
    wide += [
        condition
        for condition in policy_of(answer)["conditions"]
        if isinstance(condition, dict) and next(iter(condition)).startswith("x-oss-")
    ]
    fields = resign(answer, role_key(cloud, answer), wide)
    assert post(answer["url"], {**fields, "key": f"held/{answer['key']}"}).status_code == 200
    response = post(answer["url"], {**fields, "key": elsewhere(answer)[number]})
    assert response.status_code == 403
    assert "authorizer" in response.text
    assert set(cloud.oss.objects) == {f"held/{answer['key']}"}


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["x-oss-meta-Upload-Id", "X-Oss-Meta-Upload-Id", "x-oss-meta-upload-id"])
def test_a_held_form_accepts_no_second_upload_id(cloud, form, name, first):
    answer = form(profile="post")
    other, pairs = (name, "another-upload-s-id-00"), list(answer["formData"].items())
    assert refused(post(answer["url"], [other, *pairs] if first else [*pairs, other]), cloud)


@cases("change")
def test_a_held_form_accepts_no_other_acl_or_upload_id(cloud, form, change):
    answer = form(profile="post")
    assert refused(post(answer["url"], {**answer["formData"], **change}), cloud)
    without = {name: value for name, value in answer["formData"].items() if name not in change}
    assert refused(post(answer["url"], without), cloud)


@cases("extra", "status")
def test_an_extra_field_changes_nothing_that_was_pinned(cloud, form, extra, status):
    """OSS takes fields no condition names. What they can do is known, and is nothing that was promised."""
    answer = form()
    response = post(answer["url"], {**answer["formData"], **extra})
    if status:
        assert response.status_code == status, response.text
    assert set(cloud.oss.objects) <= {answer["key"]}
    for stored in cloud.oss.objects.values():
        assert (stored.content_type, stored.acl) == ("image/png", "default")


def page_form(function, version):
    """What a page written for the sample servers sends, and where."""
    answer = function(version).ask(method="GET", path="/", query={"profile": "page"}).json
    return answer["host"], fields_of_a_page(answer, "photo.png")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_classic_page_uploads_under_its_folder_and_nowhere_else(cloud, function, version):
    host, fields = page_form(function, version)
    assert post(host, {**fields, "key": "uploads/x.png"}).status_code == 403
    assert post(host, {**fields, "x-oss-object-acl": "public-read"}).status_code == 403
    assert post(host, fields, bytes(1025)).status_code == 400
    assert not len(cloud.oss.objects)
    assert post(host, fields).status_code == 200
    assert get(cloud, "test/photo.png").content == PNG


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
@pytest.mark.parametrize("acl_needs_permission", [True, False])
def test_no_public_object_in_an_open_folder_whatever_an_acl_needs(cloud, function, acl, acl_needs_permission):
    """No form of a page pins an ACL, and the pages of OSS disagree whether one needs a permission."""
    cloud.oss.bucket.rules = replace(cloud.oss.bucket.rules, acl_needs_permission=acl_needs_permission)
    host, fields = page_form(function, "v4")
    assert refused(post(host, {**fields, "x-oss-object-acl": acl}), cloud)
    private = post(host, {**fields, "x-oss-object-acl": "private"})
    assert private.status_code == (403 if acl_needs_permission else 200)


def test_no_secret_of_any_credentials_shows_anywhere(cloud, function, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    running = function()
    seen = [running.ask(body={"contentType": "image/png"}).text]
    for fault in ("rejected", "malformed", "no_colon", "not_utf8", "status_500", "drop"):
        cloud.sts.faults.plan(fault, times=2)
        running.clock.tick(hours=2)
        seen.append(running.ask(body={"contentType": "image/png"}).text)
        cloud.sts.faults.clear()
    secrets = [key.access_key_secret for key in cloud.accounts._keys.values()]
    assert len(secrets) >= 2
    everything = "".join(seen) + caplog.text + "".join(capfd.readouterr())
    assert not [secret for secret in secrets if secret in everything]
