"""What is handed to the owners of other accounts: every document, and nothing is sent about it."""

import re

import pytest

from tests.ops.account.stubs import ACCOUNT, FUNCTION_ROLE, OTHER_ACCOUNT, PLACES, documents_in, run
from tests.ops.words import chinese_in, english_in


@pytest.fixture
def told(cloud, capsys):
    """What a run says that is for the other account's owner."""
    cloud.profiles.write_text(PLACES)

    def tell(*options):
        assert run(cloud, *options) == 0
        output = capsys.readouterr().out
        return re.split(r"^(?:Lines for \.env|写入 \.env)", output.split(OTHER_ACCOUNT)[-1], flags=re.M)[0]

    return tell


def test_the_bucket_owner_gets_trust_policies_and_rules_to_apply(told):
    text = told("--yes", "--lang", "en", "--session-seconds", "7200", "--h5-origin", "https://m.example.com")
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


def test_public_access_of_a_foreign_bucket_is_not_reported(cloud, told):
    page = '[page]\nkey = "page/{owner}/{filename}"\nmax_size = 1\ncontent_types = ["*/*"]\n'
    page += PLACES[PLACES.index('bucket = "their-bucket"') :]
    cloud.profiles.write_text(f"{PLACES.partition('[partner]')[0]}{page}")
    assert "Nothing blocks" not in told("--yes", "--lang", "en")


def test_nothing_is_changed_in_another_account(cloud, told):
    told("--yes", "--bucket-create", "--h5-origin", "https://m.example.com")
    # A call to a host that no stub has would have failed.
    assert "uploads" not in {query.get("RoleName") for _, query in cloud.ram.calls}
    assert "uploads" not in {query.get("PolicyName") for _, query in cloud.ram.calls}


def test_a_dry_run_prints_the_same_instructions(told):
    dry = told("--dry-run", "--account", ACCOUNT)
    assert len(documents_in(dry)) == 2
    assert told("--yes").startswith(dry.rstrip())


@pytest.mark.parametrize(("language", "strange"), [("en", chinese_in), ("zh", english_in)])
def test_instructions_for_the_owner_are_in_one_language(told, language, strange):
    text = told("--dry-run", "--account", ACCOUNT, "--bucket-create", "--lang", language)
    sentences = [line for line in text.splitlines() if re.match(r"\d+\. |! ", line)]
    assert sentences
    assert [strange(re.sub(r"^\d+\. (RAM|OSS) ", "", line)) for line in sentences] == [[]] * len(sentences)
