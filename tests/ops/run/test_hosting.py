"""Which port the function gets."""

import pytest

from ops.run.hosting import HostingError, wanted_port


@pytest.mark.parametrize(
    ("environ", "port"), [({}, 9000), ({"PORT": ""}, 9000), ({"PORT": " 8123 "}, 8123), ({"PORT": "0"}, 0)]
)
def test_the_port_comes_from_the_environment(environ, port):
    assert wanted_port(environ, 9000) == port


@pytest.mark.parametrize("text", ["x", "-1", "65536", "1e3", "٣", "99999999"])
def test_a_port_that_is_none_is_refused_with_a_sentence(text):
    with pytest.raises(HostingError, match="PORT"):
        wanted_port({"PORT": text}, 9000)
