"""``doctor`` where nothing answers."""

import pytest

from ops.doctor.findings import State
from tests.ops.words import in_english

REFUSED = "http://127.0.0.1:9"  # the discard port: nothing listens there
NOWHERE = {"OSS_HOST": REFUSED, "STS_ENDPOINT": REFUSED, "WECHAT_ENDPOINT": REFUSED}


@pytest.mark.parametrize("url", ["", REFUSED])
def test_without_a_network_only_the_network_is_reported(here, url):
    good, bad = here.examine(url=url, CALLBACK_URL=f"{REFUSED}/callback", **NOWHERE)
    assert (good.check.en, good.state) == ("Settings", State.GOOD)
    assert (bad.check.en, bad.state) == ("Network", State.BAD)
    said, remedy = in_english([bad.said, bad.remedy])
    assert "HTTPS_PROXY" in remedy
    assert "Retry-After" not in said + remedy


@pytest.mark.parametrize("name", NOWHERE)
def test_one_address_that_answers_is_a_network(here, name):
    changes = {one: REFUSED for one in NOWHERE if one != name}
    assert here.examine(url="", CALLBACK_URL=f"{REFUSED}/callback", **changes).of("Network") == []
