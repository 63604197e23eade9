"""body: a JSON object that two readers read alike."""

import pytest

from function.body import read_json_object
from function.errors import BadRequest


def test_an_empty_body_is_an_empty_object():
    assert read_json_object(b"") == {}


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 1}', b'{"a": NaN}', b'{"a": -Infinity}', b'{"x": {"a": 1, "a": 2}}']
)
def test_what_two_readers_could_read_differently_is_refused(body):
    with pytest.raises(BadRequest):
        read_json_object(body)
