"""
The alias `live`: its version, the share of a canary, the versions it had before; read, moved, and read back.

What it had before stands in its description, newest first, so that every machine can go back.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ops.deploy.cli import Cli, CliFailed
from ops.terminal.language import Failure, Text

ALIAS = "live"
BEFORE = re.compile(r"before:((?: \d{1,10})+)")
# Source: https://help.aliyun.com/zh/functioncompute/fc/developer-reference/api-fc-2023-03-30-createalias
MAX_DESCRIPTION = 256
NOT_DEPLOYED = "FunctionNotFound"
NOT_MOVED = Text(
    "live was not moved: it is at version {there}, not at {wanted}.",
    "live 没有移动：它在版本 {there}，不在 {wanted}。",
)
LIVE = Text("live: version {version}", "live：版本 {version}")
BACK = Text(
    "live: version {version} (before: {before}; back: make rollback)",
    "live：版本 {version}（之前：{before}；回退：make rollback）",
)
SHARED = Text(
    "live: {rest} % version {version}, {percent} % version {new} (all: make deploy; end it: make rollback)",
    "live：{rest}% 版本 {version}，{percent}% 版本 {new}（全部切换：make deploy；结束灰度：make rollback）",
)


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
        text = " ".join(("before:", *self.before)) if self.before else ""
        return text if len(text) <= MAX_DESCRIPTION else text[: MAX_DESCRIPTION + 1].rpartition(" ")[0]


def read_live(alias: Mapping[str, Any]) -> Live:
    """Read the alias as Function Compute returns it; a weight of 0 is none."""
    weights = alias.get("additionalVersionWeight") or {}
    history = BEFORE.fullmatch(str(alias.get("description") or ""))
    return Live(
        str(alias.get("versionId", "")),
        {str(version): float(weight) for version, weight in weights.items() if weight},
        tuple(history[1].split()) if history else (),
    )


def advanced(live: Live | None, version: str) -> Live:
    """Everything goes to this version, and what was live becomes the first to go back to."""
    if live is None:
        return Live(version)
    before = live.before if version == live.version else (live.version, *live.before)
    return Live(version, {}, before)


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
    lower = max((one for one in versions if int(one) < int(live.version)), key=int, default="")
    return Live(lower) if lower else None


def current(cli: Cli) -> Live | None:
    """Return what is live; ``None`` before the first deployment with versions."""
    try:
        aliases = cli.read("alias", "list")
    except CliFailed as error:
        if error.code != NOT_DEPLOYED:
            raise
        return None
    return next((read_live(one) for one in aliases if one.get("aliasName") == ALIAS), None)


def published(cli: Cli) -> list[str]:
    """Return the numbers of all versions, newest first."""
    return sorted((str(one["versionId"]) for one in cli.read("version", "list")), key=int, reverse=True)


def move(cli: Cli, wanted: Live) -> None:
    """Point the alias, and read it back; raise ``Failure`` if Function Compute took it and says otherwise."""
    weights = dict(wanted.weights)
    there = None
    for _ in range(2):
        cli.change(
            *("alias", "publish", "--alias-name", ALIAS, "--version-id", wanted.version),
            *("--vw", json.dumps(weights), "--description", wanted.description),
        )
        there = current(cli)
        if there and (there.version, there.weights) == (wanted.version, wanted.weights):
            return
        # No page says whether an empty mapping clears what was there; a weight of 0 does in any case.
        weights = {**dict.fromkeys(there.weights if there else (), 0.0), **wanted.weights}
    raise Failure(NOT_MOVED.filled(there=there.version if there else "-", wanted=wanted.version))


def shown(live: Live) -> Text:
    """Return where the alias points, with the command that goes on from there."""
    for version, weight in live.weights.items():
        percent = round(weight * 100)
        return SHARED.filled(rest=100 - percent, version=live.version, percent=percent, new=version)
    return (BACK if live.before else LIVE).filled(version=live.version, before="".join(live.before[:1]))
