"""Strict JSON of request bodies."""

import pytest

from function.errors import BadRequest
from function.http.json_body import object_in, read_json_object, strict_json


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 1}', b'{"a": NaN}', b'{"a": -Infinity}', b'{"x": {"a": 1, "a": 2}}']
)
def test_ambiguous_json_is_refused(body):
    with pytest.raises(BadRequest):
        read_json_object(body)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'\xef\xbb\xbf{"a": "\xe7\x8c\xab"}', {"a": "猫"}),
        (b'{"a": "\xed\xa0\x80"}', {"a": "\ud800"}),
        ('{"a": NaN, "a": 1}', {"a": 1}),
        (b'{"a": "\xff"}', None),
        ("[]", None),
        ("[" * 100_000, None),
        ("", None),
    ],
)
def test_an_object_of_another_system_is_read_leniently(text, value):
    assert object_in(text) == value


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a":1,"a":2}', '{"a":NaN}', "9" * 5000])
def test_invalid_json_is_a_value_error(text):
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the parser says
        strict_json(text)
