"""Ways to a deployed function."""

import pytest
import responses

from ops.client.function_client import FunctionAtUrl, FunctionSilent, is_default_domain
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

REFUSED = "http://127.0.0.1:9"


def test_an_address_keeps_the_prefix_of_a_custom_domain():
    with responses.RequestsMock() as stub:
        stub.post("https://api.example.com/uploads/v1/login", json={"token": "t"})
        assert FunctionAtUrl("https://api.example.com/uploads/v1/").ask("login", {}, "").status == 200


def test_silence_is_an_error_of_its_own():
    with pytest.raises(FunctionSilent):
        FunctionAtUrl(REFUSED).ask("health", None, "")


@cases("url", "is_default")
def test_default_domains_of_function_compute_are_recognized(url, is_default):
    assert is_default_domain(url) is is_default
