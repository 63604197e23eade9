"""What is handed to the owners of other accounts: every document, and nothing is sent about it."""

import re

import pytest

from tests.ops.account.stubs import ACCOUNT, FUNCTION_ROLE, OTHER_ACCOUNT, PLACES, THEIRS, documents_in, run
from tests.support.cases import profile_toml

SHOP = profile_toml("shop", end="{id}{ext}", content_types=["image/png"], acl="public-read", **THEIRS)
SHOP += profile_toml("legacy", end="{owner}/{filename}", content_types=["*/*"], **THEIRS)


@pytest.fixture
def told(cloud, capsys):
    """What a run says that is for the other account's owner."""
    cloud.profiles.write_text(PLACES)

    def tell(*options):
        assert run(cloud, *options) == 0
        output = capsys.readouterr().out
        return re.split(r"^(?:Lines for \.env|写入 \.env)", output.split(OTHER_ACCOUNT)[-1], flags=re.M)[0]

    return tell


def test_the_bucket_owner_gets_trust_policies_and_rules_to_apply(told, monkeypatch):
    monkeypatch.setenv("STS_SESSION_SECONDS", "7200")
    text = told("--yes", "--lang", "en", "--h5-origin", "https://m.example.com")
    trust, policy = documents_in(text)
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"RAM": [f"acs:ram::{ACCOUNT}:role/{FUNCTION_ROLE}"]}
    resources = {resource for one in policy["Statement"] for resource in one["Resource"]}
    folders = ("", "/held/partner/*", "/partner/*", "/held/.*", "/held/.due/*")
    assert resources == {f"acs:oss:*:*:their-bucket{folder}" for folder in folders}
    assert "MaxSessionDuration = 7200" in text and 'RoleName = "uploads"' in text
    assert "<Prefix>held/partner/</Prefix>" in text and "<Prefix>held/</Prefix>" not in text
    assert "<AllowedOrigin>https://m.example.com" in text
    assert 'bucket = "their-bucket"' in text and "PutBucket:" not in text
    assert "PutBucket:" in told("--yes", "--bucket-create", "--lang", "en")


def test_a_bucket_of_another_account_blocks_public_access_as_new_ones_do(cloud, told):
    cloud.profiles.write_text(PLACES + SHOP)
    text = told("--yes", "--lang", "en")
    assert "[shop]" in text and "[legacy]" not in text
