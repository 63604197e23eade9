"""Ways to a deployed function."""

import pytest
import responses

from ops.client.function_client import FunctionAtUrl, FunctionSilent, is_default_domain

REFUSED = "http://127.0.0.1:9"


def test_an_address_keeps_the_prefix_of_a_custom_domain():
    with responses.RequestsMock() as stub:
        stub.post("https://api.example.com/uploads/v1/login", json={"token": "t"})
        assert FunctionAtUrl("https://api.example.com/uploads/v1/").ask("login", {}, "").status == 200


def test_silence_is_an_error_of_its_own():
    with pytest.raises(FunctionSilent, match="did not answer"):
        FunctionAtUrl(REFUSED).ask("health", None, "")


@pytest.mark.parametrize(
    ("url", "is_default"),
    [
        ("https://x.cn-hangzhou.fcapp.run/a", True),
        ("https://fcapp.run.example.com", False),
        ("https://api.example.com", False),
    ],
)
def test_knows_the_testing_addresses_of_function_compute(url, is_default):
    assert is_default_domain(url) is is_default
