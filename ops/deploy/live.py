"""
The alias `live`: its version, the share of a canary, and the versions it had before.

What it had before stands in its description, newest first, so that every machine can go back.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

ALIAS = "live"
BEFORE = re.compile(r"before:((?: \d{1,10})+)")
# Source: https://help.aliyun.com/zh/functioncompute/fc/developer-reference/api-fc-2023-03-30-createalias
MAX_DESCRIPTION = 256


@dataclass(frozen=True)
class Live:
    """
    Args:
        weights: share of each other version, 0 to 1.
        before: versions that were live, the latest first.
    """

    version: str
    weights: Mapping[str, float] = field(default_factory=dict)
    before: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The history as the alias carries it, without the oldest where they do not fit."""
        text = "before:"
        for version in self.before:
            if len(text) + 1 + len(version) > MAX_DESCRIPTION:
                break
            text += f" {version}"
        return text if self.before else ""


def read_live(alias: Mapping[str, Any]) -> Live:
    """Read the alias as Function Compute returns it; a weight of 0 is none."""
    weights = alias.get("additionalVersionWeight") or {}
    history = BEFORE.fullmatch(str(alias.get("description") or ""))
    return Live(
        str(alias.get("versionId", "")),
        {str(version): float(weight) for version, weight in weights.items() if weight},
        tuple(history[1].split()) if history else (),
    )


def newest_of(versions: Sequence[str]) -> str:
    """The version that was published last; numbers rise and are never used twice."""
    return max(versions, key=int, default="")


def advanced(live: Live | None, version: str) -> Live:
    """Everything goes to this version, and what was live becomes the first to go back to."""
    if live is None:
        return Live(version)
    before = live.before if version == live.version else (live.version, *live.before)
    return Live(version, {}, before)


def with_canary(live: Live, version: str, percent: int) -> Live:
    return Live(live.version, {version: percent / 100}, live.before)


def rolled_back(live: Live, versions: Sequence[str], wanted: str = "") -> Live | None:
    """
    Go to ``wanted``; else end the canary; else go to the version before, of those that still exist.

    Without a history the version before is the next lower number.

    Returns:
        ``None`` when there is no such version.
    """
    if wanted:
        if wanted not in versions:
            return None
        if wanted not in live.before:
            return advanced(live, wanted)
        return Live(wanted, {}, live.before[live.before.index(wanted) + 1 :])
    if live.weights:
        return Live(live.version, {}, live.before)
    for index, version in enumerate(live.before):
        if version in versions and version != live.version:
            return Live(version, {}, live.before[index + 1 :])
    lower = newest_of([version for version in versions if int(version) < int(live.version)])
    return Live(lower) if lower else None
