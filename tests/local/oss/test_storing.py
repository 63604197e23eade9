"""Bodies received: whole, as long as they may be, and what their digest says."""

import base64
import hashlib
from dataclasses import replace

import pytest

from local.oss.bucket import Bucket
from local.oss.errors import OssError
from local.oss.exchange import Call
from local.oss.objects import Objects
from local.oss.request import Request
from local.oss.rules import OssRules
from local.oss.storing import digest_of, read_body, received

BODY = b"a picture"
RIGHT = base64.b64encode(hashlib.md5(BODY).digest()).decode()


@pytest.fixture
def call(tmp_path):
    bucket = Bucket("b", "cn-hangzhou", None, Objects(tmp_path), None)

    def with_headers(**headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Call(Request("PUT", "a", {}, named), bucket, lambda: iter([BODY[:4], BODY[4:]]))

    return with_headers


def refusal_of(function, *args):
    with pytest.raises(OssError) as refused:
        function(*args)
    return refused.value.refusal.code


@pytest.mark.parametrize(
    "text", ["", "AAAA", "no base64!", RIGHT[:-1], f"{RIGHT} ", RIGHT + RIGHT, "图", "5" * 32]
)
def test_an_invalid_digest_is_refused_before_reading_the_body(text):
    assert refusal_of(digest_of, {"content-md5": text}) == "InvalidDigest"


def test_a_digest_is_sixteen_bytes_or_none():
    assert digest_of({}) is None
    assert digest_of({"content-md5": RIGHT}) == hashlib.md5(BODY).digest()


def test_bytes_are_received_into_a_file_that_is_gone_afterwards(call, tmp_path):
    with received(call(content_md5=RIGHT)) as content:
        assert (content.path.read_bytes(), content.size, content.content_md5) == (BODY, 9, RIGHT)
        assert content.etag == hashlib.md5(BODY).hexdigest().upper()
    assert list(tmp_path.iterdir()) == []


def test_a_document_is_read_up_to_its_limit(call):
    at_limit = call(content_md5=RIGHT)
    at_limit.bucket.rules = replace(OssRules(), max_document_bytes=len(BODY))
    assert read_body(at_limit) == BODY
    at_limit.bucket.rules = replace(OssRules(), max_document_bytes=len(BODY) - 1)
    assert refusal_of(read_body, at_limit) == "MalformedXML"


def test_a_document_is_held_against_its_digest(call):
    assert read_body(call()) == BODY
    other = base64.b64encode(hashlib.md5(b"another").digest()).decode()
    assert refusal_of(read_body, call(content_md5=other)) == "InvalidDigest"
