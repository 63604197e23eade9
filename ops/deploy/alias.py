"""
The alias `live` at Function Compute: read, moved, and read back.
"""

import json

from ops.deploy.cli import Cli, CliFailed
from ops.deploy.live import ALIAS, Live, read_live
from ops.terminal.language import Failure, Text

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
    """
    Point the alias: every field is sent, and read back. It is never removed.

    Raises:
        Failure: Function Compute took it, and still says otherwise.
    """
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
