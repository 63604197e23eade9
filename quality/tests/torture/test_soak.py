"""The soak in short, and that it would notice what it looks for."""

import logging
from datetime import timedelta

import pytest

from local.common.accounts import AccessKey
from quality.torture import soak
from tests.support.redis_server import NEEDED, is_installed


def test_a_few_thousand_requests_lose_nothing():
    result = soak.run(3200)
    assert [problem for problem in result.problems if "memory" not in problem] == []
    assert result.secrets == []
    assert result.totals["requests in the soak"] == 3200


@pytest.mark.skipif(not is_installed(), reason=NEEDED)
def test_with_quotas_redis_counts_the_issued_forms():
    result = soak.run(1600, with_quotas=True)
    assert [problem for problem in result.problems if "memory" not in problem] == []
    assert result.secrets == []
    (counted,) = [text for name, text in result.figures if "counted in Redis" in name]
    given, _, told = counted.partition(" / ")
    assert given == told != "0"


def test_a_failure_with_valid_credentials_counts_as_lost_with_its_reason():
    tally = soak.Tally()
    refused = soak.stage.Reply(503, {}, '{"error": {"code": "sts_unavailable", "requestId": "a"}}')
    line = '{"requestId": "a", "status": 503, "reason": "STS slept"}'
    reasons = soak.Reasons()
    reasons.emit(logging.makeLogRecord({"msg": line}))
    soak.check(refused, True, soak.Ledger(), soak.START, tally, reasons)
    soak.check(refused, False, soak.Ledger(), soak.START, tally, reasons)
    assert tally.lost == ["503 sts_unavailable at 14:00:00: STS slept"]
    assert tally.refused == 1


def test_a_set_counts_as_held_from_its_first_form_on():
    until = soak.START + timedelta(hours=1)
    ledger = soak.Ledger(AccessKey("STS.a", "s", "t", until))
    tally = soak.Tally()
    soak.check(a_form(), False, ledger, soak.START, tally, soak.Reasons())
    assert (tally.forms, tally.outlived) == (1, [])
    assert ledger.held == {"STS.a": soak.START + soak.SESSION}
    for later in (timedelta(seconds=-2), timedelta(seconds=3)):
        soak.check(a_form(), True, ledger, soak.START + later, tally, soak.Reasons())
    assert ledger.held == {"STS.a": soak.START + soak.SESSION - timedelta(seconds=2)}


def a_form():
    policy = "eyJleHBpcmF0aW9uIjoiMjAyNi0xMS0yNFQxNDowNTowMC4wMDBaIiwiY29uZGl0aW9ucyI6W119"
    return soak.stage.Reply(200, {}, f'{{"x-oss-credential":"STS.a/x","policy":"{policy}"}}')


def test_a_form_that_outlives_its_credentials_is_detected():
    ledger = soak.Ledger(AccessKey("STS.a", "s", "t", soak.START + timedelta(seconds=359)))
    tally = soak.Tally()
    soak.check(a_form(), True, ledger, soak.START, tally, soak.Reasons())
    assert tally.outlived == ["a form until 2026-11-24T14:05:00Z"]
    assert ledger.held == {}
