"""CRC-64 as OSS has it, on the numbers of other people's code."""

import json
from pathlib import Path

import pytest

from local.oss.crc64 import crc64_of

DIGESTS = json.loads((Path(__file__).parents[2] / "vectors" / "presigned_v4.json").read_text("utf-8"))[
    "digests"
]
CONTENTS = (b"a" * 102400, b"b" * 102400, b"hello")


@pytest.mark.parametrize(
    ("content", "crc"),
    [
        (b"123456789", DIGESTS["crc64_check_123456789"]),
        *((content, part["crc64ecma"]) for content, part in zip(CONTENTS, DIGESTS["parts"], strict=True)),
        (b"".join(CONTENTS), DIGESTS["object"]["crc64ecma"]),
    ],
    ids=["check", "first", "second", "third", "whole"],
)
def test_the_checksum_is_the_published_one(content, crc, tmp_path):
    (tmp_path / "data").write_bytes(content)
    assert str(crc64_of(tmp_path / "data")) == crc
