"""Promises about speed, each held against the figures of one run."""

from collections.abc import Iterator
from dataclasses import dataclass

from quality.bench import cold_start, limits, load, warm
from quality.bench.figures import Figures, ratio
from quality.bench.setting_up import ANONYMOUS, PACKAGE_MB, WECHAT

# What of ours, beside which peer, at most. The first request of a mini-program is the longest way to a form.
# In processor time where a busy machine must not count.
RATIOS = (
    (cold_start.WALL, WECHAT, cold_start.FLOOR, 0.80),
    (cold_start.WALL, WECHAT, cold_start.SAMPLE_SERVER, 0.30),
    (cold_start.CPU, WECHAT, ANONYMOUS, 1.15),
    (cold_start.CPU, WECHAT, cold_start.FLOOR, 0.70),
    (cold_start.CPU, WECHAT, cold_start.SAMPLE_SERVER, 0.24),
    (cold_start.MEMORY, WECHAT, cold_start.FLOOR, 0.72),
    (cold_start.MEMORY, ANONYMOUS, cold_start.FLOOR, 0.72),
    (warm.FORM, WECHAT, ANONYMOUS, 1.25),
    (warm.FORM, ANONYMOUS, warm.FLOOR, 1.75),
    (warm.FORM, WECHAT, warm.FLOOR, 2.1),
)
AT_LEAST = ((load.PER_CORE, ANONYMOUS, warm.FLOOR, 0.80),)
# Of whichever contestant in whichever round.
WORST = {PACKAGE_MB: 6.2, limits.LOST: 0, limits.FORMS: 60}


@dataclass(frozen=True)
class Outcome:
    """
    One promise and what was measured.

    Args:
        value, least, most: the ratio of medians, and its spread over the rounds.

        limit: the value must not be over it; under it where ``at_least`` says so.
    """

    name: str
    value: float
    least: float
    most: float
    limit: float
    at_least: bool = False
    unit: str = " ×"

    @property
    def is_met(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def outcomes(figures: Figures) -> Iterator[Outcome]:
    """Return every promise whose figures are there."""
    for promises, at_least in ((RATIOS, False), (AT_LEAST, True)):
        for what, ours, theirs, limit in promises:
            if measured := figures.get(what):
                found = ratio(measured[ours], measured[theirs])
                yield Outcome(f"{what}: {ours} / {theirs}", *found, limit, at_least)
    for what, most in WORST.items():
        if what in figures:
            value = max(max(values) for values in figures[what].values())
            yield Outcome(what, value, value, value, most, unit="")
