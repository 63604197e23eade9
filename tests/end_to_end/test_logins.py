"""Users of Alipay and Douyin log in, upload and have their receipts."""

import itertools
from contextlib import ExitStack

import pytest

from function.auth import owner_of
from tests.end_to_end.conftest import PICTURE, Running

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def clouds(tmp_path_factory):
    """A running cloud of each kind, begun when it is first asked for."""
    with ExitStack() as stack:
        running = {}

        def start(kind):
            if kind not in running:
                running[kind] = Running(stack, tmp_path_factory.mktemp(kind), kind)
                running[kind].usual = running[kind].start()
            return running[kind]

        yield start


@pytest.fixture
def here(clouds, kind):
    running = clouds(kind)
    yield running
    running.clear_faults()
    running.cloud.reset()


@pytest.mark.parametrize("kind", ["alipay", "douyin"])
def test_a_user_logs_in_and_uploads_and_has_a_receipt(here, kind):
    openid = f"user-{next(NUMBERS)}"
    token = here.ask("login", {"code": here.cloud.platforms[kind].issue_code(openid)}).json()["token"]
    form = here.ask("upload-params", {"profile": "avatar", "filename": "a.png"}, token).json()
    assert here.post(form, PICTURE).status_code == 200
    confirmed = here.ask("confirm", {"ticket": form["ticket"]}, token).json()
    assert confirmed["receipt"] and confirmed["key"] == form["key"]
    assert form["key"].split("/")[1] == owner_of(openid, here.cloud.token_secret)


@pytest.mark.parametrize("kind", ["alipay"])
def test_a_second_node_behind_the_signature_names_no_user(here):
    here.cloud.alipay.faults.plan("doubled_node", times=1)
    code = here.cloud.alipay.issue_code("the-signed-one")
    token = here.ask("login", {"code": code}).json()["token"]
    form = here.ask("upload-params", {"profile": "avatar", "filename": "a.png"}, token).json()
    assert form["key"].split("/")[1] == owner_of("the-signed-one", here.cloud.token_secret)
