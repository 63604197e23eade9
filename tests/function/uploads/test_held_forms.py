"""uploads.plan: forms of held objects admit the held name and show the published one."""

import json
from base64 import b64decode

import pytest

from tests.function.uploads.conftest import SECRET
from tests.support.cases import profile_toml

pytestmark = pytest.mark.usefixtures("good_sts")
PROFILES = profile_toml("default", "uploads", confirm=True) + profile_toml(
    "post",
    "posts",
    acl="public-read",
    storage_class="IA",
    cache_control="no-cache",
    confirm=True,
    hold=["commit"],
    metadata={"source": "app"},
)


@pytest.fixture
def function(instance, profiles_file):
    return instance(TOKEN_SECRET=SECRET, PROFILES_FILE=profiles_file(PROFILES))


def ask(function, profile="post", **fields):
    answer = function.ask(body={"profile": profile, "filename": "a.png", **fields})
    assert answer.status == 200, answer.text
    return answer.json


def conditions_of(form):
    return json.loads(b64decode(form["formData"]["policy"]))["conditions"]


def test_a_held_form_admits_the_held_key_and_responds_with_the_published_one(function, log_lines):
    form = ask(function)
    key = f"posts/public/{form['uploadId']}.png"
    assert form["key"] == key
    assert form["fileUrl"] == f"https://my-bucket.oss-cn-hangzhou.aliyuncs.com/{key}"
    assert form["held"] is True
    assert form["formData"]["key"] == f"held/{key}"
    assert {"key": f"held/{key}"} in conditions_of(form)
    assert log_lines()[-1]["key"] == key


def test_a_held_object_is_private_and_has_the_pinned_fields_and_the_upload_id(function):
    form = ask(function)
    pinned = {
        "x-oss-object-acl": "private",
        "x-oss-storage-class": "IA",
        "Cache-Control": "no-cache",
        "x-oss-meta-source": "app",
        "x-oss-meta-upload-id": form["uploadId"],
    }
    assert form["formData"].items() >= pinned.items()
    # A field without a condition would be the client's to choose.
    assert all({name: value} in conditions_of(form) for name, value in pinned.items())


def test_a_profile_without_hold_is_unchanged_beside_a_held_one(function, log_lines):
    held, plain = function.ask(
        body={"files": [{"profile": "post", "filename": "a.png"}, {"filename": "a.png"}]}
    ).json["uploads"]
    assert (held["held"], "held" in plain) == (True, False)
    assert plain["formData"]["key"] == plain["key"]
    assert "x-oss-meta-upload-id" not in plain["formData"]
    assert log_lines()[-1]["key"] == [held["key"], plain["key"]]
