"""URLs signed for the tools, against the vectors of official signers."""

import json
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from local.common.accounts import AccessKey, Accounts
from local.oss.bucket import Bucket
from local.oss.objects import Objects
from local.oss.presign import presigned_url

VECTORS = json.loads(Path(__file__).parents[2].joinpath("vectors/presigned_v4.json").read_text("utf-8"))
PLAIN = [
    vector
    for vector in VECTORS["url"]
    if vector["method"] == "GET" and not (vector["queries"] or vector["headers"])
]


@pytest.mark.parametrize("vector", PLAIN, ids=lambda vector: vector["name"])
def test_a_url_is_the_one_that_official_signers_make(vector, tmp_path):
    given = vector["credentials"]
    key = AccessKey(given["access_key_id"], given["access_key_secret"], given.get("security_token"))
    now = datetime.fromisoformat(vector["date_iso"])
    bucket = Bucket(vector["bucket"], vector["region"], Accounts(key), Objects(tmp_path), lambda: now)
    made = presigned_url(f"https://{vector['host']}", bucket, key, vector["key"], vector["expires"])
    expected = urlsplit(vector["expected"]["url"])
    assert urlsplit(made).path == expected.path
    assert sorted(parse_qsl(urlsplit(made).query)) == sorted(parse_qsl(expected.query))


def test_there_are_vectors_with_and_without_a_token_and_with_odd_keys():
    assert {"get-plain", "get-plain-sts", "get-chinese-key"} <= {vector["name"] for vector in PLAIN}
