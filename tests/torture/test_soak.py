"""The soak in short, and that it would notice what it looks for."""

from datetime import timedelta

from local.accounts import AccessKey
from torture import soak


def test_a_few_thousand_requests_lose_nothing():
    result = soak.run(3200)
    assert [problem for problem in result.problems if "memory" not in problem] == []
    assert result.secrets == []
    assert result.totals["requests in the soak"] == 3200


def test_a_failure_while_good_credentials_were_held_counts_as_lost():
    tally = soak.Tally()
    refused = soak.stage.Reply(503, {}, '{"error": {"code": "sts_unavailable"}}')
    soak.check(refused, True, soak.Ledger(), soak.START, tally)
    soak.check(refused, False, soak.Ledger(), soak.START, tally)
    assert (len(tally.lost), tally.refused) == (1, 1)


def test_a_form_that_outlives_its_credentials_is_noticed():
    ledger = soak.Ledger(AccessKey("STS.a", "s", "t", soak.START + timedelta(seconds=359)))
    policy = "eyJleHBpcmF0aW9uIjoiMjAyNi0xMS0yNFQxNDowNTowMC4wMDBaIiwiY29uZGl0aW9ucyI6W119"
    form = soak.stage.Reply(200, {}, f'{{"x-oss-credential":"STS.a/x","policy":"{policy}"}}')
    tally = soak.Tally()
    soak.check(form, True, ledger, soak.START, tally)
    assert tally.outlived == ["a form until 2026-11-24T14:05:00Z"]
