"""limits: thousands of phones at one instant, and the promises about them."""

import pytest
import yaml

from quality.bench import limits, report
from quality.bench.fleet import BURST, PLAIN, Region
from quality.bench.targets import Outcome, outcomes
from tests.docs.markdown import ROOT, page, tables

KINDS = limits.deployments()


@pytest.mark.parametrize(("kind", "slots", "served"), [(limits.PLAIN, *PLAIN), (limits.BURST_ALONE, *BURST)])
def test_the_phones_that_docs_name_are_served(kind, slots, served):
    """In small: phones go with instances."""
    assert KINDS[kind].slots == slots
    assert not limits.come(18 * served, KINDS[kind], Region(20), 1).lost


def test_the_share_of_a_processor_is_that_of_s_yaml():
    (resource,) = yaml.safe_load((ROOT / "s.yaml").read_text("utf-8"))["resources"].values()
    assert resource["props"]["cpu"] == limits.SHARE


@pytest.mark.parametrize(("figure", "name"), [("lost", limits.LOST), ("most_forms", limits.FORMS)])
def test_a_broken_promise_about_the_limits_is_detected(monkeypatch, figure, name):
    monkeypatch.setattr(limits, "PHONES", 300)
    monkeypatch.setattr(limits, "ROUNDS", 2)
    replayed = limits.replay()
    assert [outcome for outcome in outcomes(limits.promised(replayed)) if not outcome.is_met] == []
    replayed["100 instances"][limits.BURST][figure] = [0, 61]
    broken = [outcome.name for outcome in outcomes(limits.promised(replayed)) if not outcome.is_met]
    assert broken == [name]


def test_the_stored_table_is_what_the_replay_gives():
    found = limits._figures(KINDS[limits.BURST], limits.REGIONS["100 instances"], 0)
    stored = tables(page("quality/bench/results/table.md"))[-1]
    row = next(row for row in stored if row[:2] == ["100 instances", limits.BURST])
    assert row[2:6] == [str(found[name]) for name in ("instances", "429", "repeated", "lost")]


@pytest.mark.parametrize(
    ("outcome", "is_met"),
    [
        (Outcome("a ratio", 1.10, 1, 1.2, 1.10), True),
        (Outcome("a ratio", 1.11, 1, 1.2, 1.10), False),
        (Outcome("a rate", 0.84, 0.8, 0.9, 0.85, at_least=True), False),
        (Outcome("a rate", 0.85, 0.8, 0.9, 0.85, at_least=True), True),
    ],
)
def test_a_promise_is_met_or_plainly_not(outcome, is_met):
    assert outcome.is_met is is_met
    assert ("not met" in report.table_of_outcomes([outcome])) is not is_met
