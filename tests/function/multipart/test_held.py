"""Large files that are held back: sent, completed and confirmed where they wait, told under their name."""

import jwt
import pytest

from function.auth.signed_tokens import RECEIPT
from tests.support.cases import profile_toml

SECRET = "token-secret-canary-0123456789abcdef"
PROFILES = profile_toml(
    "video",
    "videos",
    max_size="8MiB",
    content_types=["video/*"],
    acl="public-read",
    storage_class="IA",
    parts=True,
    part_size="100KiB",
    parts_within=3600,
    hold=["commit"],
    hold_days=3,
)


@pytest.fixture
def phone(phone_of):
    return phone_of(profiles=PROFILES)


@pytest.fixture
def sent(phone):
    begun = phone.begin()
    assert set(phone.send(begun)) == {200}
    return begun


def test_a_held_multipart_object_is_private_and_has_its_upload_id(phone, oss, sent):
    assert sent["held"] is True
    assert phone.complete(sent["ticket"]).status == 200
    assert list(oss.objects) == [f"held/{sent['key']}"]
    stored = oss.objects[f"held/{sent['key']}"]
    assert stored.acl == "private"
    assert stored.headers["x-oss-meta-upload-id"] == sent["uploadId"]
    assert stored.headers["x-oss-storage-class"] == "IA"


def test_the_receipt_is_held_and_expires_a_day_after_hold_days(phone, oss, sent):
    answer = phone.complete(sent["ticket"])
    assert phone.complete(sent["ticket"]).text == answer.text
    told = answer.json
    assert (told["key"], told["url"], told["state"]) == (sent["key"], None, "held")
    options = {"verify_iat": False, "verify_exp": False}
    claims = jwt.decode(told["receipt"], SECRET, algorithms=["HS256"], audience=RECEIPT, options=options)
    etag = oss.objects[f"held/{sent['key']}"].etag
    assert (claims["key"], claims["held"], claims["etag"]) == (sent["key"], True, etag)
    # Of what is complete long before its ticket ends.
    assert claims["heldUntil"] == claims["iat"] + 3 * 86400 < claims["exp"] - 86400
    assert claims["exp"] - claims["iat"] == 3600 + (1 + 3) * 86400


def test_an_aborted_held_upload_is_gone(phone, oss):
    begun = phone.begin()
    phone.send(begun)
    assert phone.abort(begun["ticket"]).json == {"state": "aborted"}
    assert (oss.uploads, oss.objects) == ({}, {})
