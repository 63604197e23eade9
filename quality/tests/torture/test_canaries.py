"""The watch finds a planted secret in every clothing, and what it found before stays mended."""

import logging
from base64 import b64encode, urlsafe_b64encode

import pytest

from function.app import Function
from function.context import Dependencies
from function.http.client import ExchangeFailed, send
from function.sts import aliyun_sdk
from function.sts.credentials import AccessKeys
from local.common.http_server import Handler, Server
from tests.support.canaries import LogWatch, Watch


@pytest.fixture
def watch():
    return Watch("CanaryInATest0001")


@pytest.mark.parametrize(
    "dress",
    [
        lambda secret: secret,
        lambda secret: f"x{secret}y",
        lambda secret: secret.encode().hex(),
        *(lambda secret, n=n: b64encode(b"z" * n + secret.encode()).decode() for n in range(4)),
        *(lambda secret, n=n: urlsafe_b64encode(b"\xff" * n + secret.encode()).decode() for n in range(4)),
    ],
)
def test_finds_a_secret_however_it_is_dressed(watch, dress):
    watch.search(dress(watch.plant("x")), "response")
    assert len(watch.found) >= 1
    assert watch.mark not in watch.found[0]


def test_finds_a_token_or_a_signed_policy_in_a_log_line(watch):
    with LogWatch(watch):
        logging.getLogger("any").debug("%s", "a policy eyJleHBpcmF0aW9uIjoi in the log")
    assert watch.found


def test_the_repr_of_the_surroundings_showed_the_whole_environment(watch):
    around = Dependencies({"TOKEN_SECRET": watch.plant("token")})
    watch.search_reprs(Function(around))
    assert watch.found == []


class Silent(Handler):
    """Answers everything, and itself logs nothing."""

    def do_GET(self):
        self.answer(204)

    do_POST = do_GET


@pytest.fixture
def any_log_level():
    """No library's log is silent because an earlier test made it so."""
    loggers = [logging.getLogger(name) for name in ("urllib3", "requests", "http.client")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.NOTSET)
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


def test_urllib3_logged_addresses_with_secrets_in_their_query(watch, any_log_level):
    # A library logs an address when an answer has come, and another line when none does.
    server = Server(Silent).start()
    url = f"{server.origin}/x?secret={watch.plant('x')}"
    with LogWatch(watch):
        assert send("GET", url, budget_seconds=5).status == 204
    server.stop()
    with LogWatch(watch), pytest.raises(ExchangeFailed):
        send("GET", f"{url}&nobody=listens", budget_seconds=1)
    assert watch.found == []


def test_the_signed_address_of_sts_with_its_token_is_in_no_log(watch, started):
    own = AccessKeys("id", watch.plant("secret"), watch.plant("token"))
    origin = started(Server(Silent)).origin
    with LogWatch(watch) as log:
        aliyun_sdk.prepare()
        from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest

        with pytest.raises(aliyun_sdk.SdkFailed):
            aliyun_sdk.call(AssumeRoleRequest(), endpoint=origin, region="cn-hangzhou", own=own)
        logging.getLogger("any").debug("the watch is awake")
        assert log.last == "the watch is awake"
    assert watch.found == []
