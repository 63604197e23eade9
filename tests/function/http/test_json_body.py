"""body: a JSON object that two readers read alike."""

import pytest

from function.errors import BadRequest
from function.http.json_body import read_json_object, strict_json


def test_an_empty_body_is_an_empty_object():
    assert read_json_object(b"") == {}


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 1}', b'{"a": NaN}', b'{"a": -Infinity}', b'{"x": {"a": 1, "a": 2}}']
)
def test_what_two_readers_could_read_differently_is_refused(body):
    with pytest.raises(BadRequest):
        read_json_object(body)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"a":1,"a":2}', '{"a":NaN}', "9" * 5000])
def test_what_is_no_strict_json_is_an_error_of_its_text(text):
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the parser says
        strict_json(text)


@pytest.mark.parametrize(("text", "value"), [("null", None), ("{}", {}), ('[1.5,"\\u732b"]', [1.5, "猫"])])
def test_any_value_of_json_is_read(text, value):
    assert strict_json(text) == value
