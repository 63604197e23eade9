"""uploads.plan: responses for pages written for OSS's sample servers."""

import json
from base64 import b64decode
from datetime import UTC, datetime

import pytest

from function.errors import BadRequest
from function.uploads.request import refuse_among_several


def conditions(form):
    return json.loads(b64decode(form["policy"]))["conditions"]


@pytest.fixture
def with_legacy(instance, good_sts, profiles_file, legacy_profiles):
    return lambda **changes: instance(PROFILES_FILE=profiles_file(legacy_profiles), **changes)


def test_a_page_of_the_sample_servers_gets_its_v4_fields(with_legacy):
    body = with_legacy().ask(method="GET", path="/", query={"profile": "legacy"}).json
    assert set(body) == {
        *("policy", "security_token", "x_oss_signature_version", "x_oss_credential", "x_oss_date"),
        *("signature", "host", "dir", "expire"),
    }
    # A classic page sends no field of ours, so its policy may ask for none.
    pins = [next(iter(pin)) for pin in conditions(body) if isinstance(pin, dict)]
    assert pins == [
        *("bucket", "x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-security-token")
    ]
    assert body["dir"] == "test/public/"
    assert body["expire"] == int(datetime(2026, 11, 24, 14, 1, tzinfo=UTC).timestamp())


def test_a_page_of_the_sample_servers_gets_its_v1_fields(with_legacy):
    body = with_legacy(OSS_SIGNATURE_VERSION="v1").ask(body={"profile": "legacy", "size": 5}).json
    assert set(body) == {"accessid", "host", "policy", "signature", "expire", "dir", "security_token"}
    assert ["content-length-range", 5, 5] in conditions(body)


def test_a_page_with_its_own_key_is_served_one_file_at_a_time(with_legacy):
    files = [{"filename": "a.png"}, {"profile": "legacy"}]
    assert with_legacy().ask(body={"files": files}).status == 400


def test_a_batch_refusal_names_the_file_with_a_client_chosen_key(profile):
    with pytest.raises(BadRequest) as raised:
        refuse_among_several([profile(), profile("a/{filename}")])
    assert raised.value.message.startswith("files[1].profile ")
    refuse_among_several([profile(), profile()])
