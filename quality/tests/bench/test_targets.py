"""targets: a promise is met or not, and the table says which."""

import pytest

from quality.bench import report
from quality.bench.targets import Outcome


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
