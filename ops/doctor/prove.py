"""
Open points of OSS, tried on the user's own bucket; the report is a Markdown table.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

import requests

from function import VERSION
from function.config.settings import Settings
from function.credentials import AccessKeys
from local.oss.rules import OssRules
from ops.doctor import prove_forms, prove_objects, prove_parts, prove_sts
from ops.doctor.evidence import NotTried
from ops.doctor.open_point import Point, Seen
from ops.doctor.sandbox import FOLDER, Sandbox
from ops.terminal.language import Text
from ops.terminal.screen import Screen

POINTS: tuple[Point, ...] = (
    *prove_forms.POINTS,
    *prove_objects.POINTS,
    *prove_parts.POINTS,
    *prove_sts.POINTS,
)
# Nobody is there (RFC 5737): a callback to it waits as long as OSS lets it.
SILENT_URL = "http://192.0.2.1/"
WORDS = {
    "cost": Text(
        "{points} questions, at most {calls} requests, objects of at most 250 bytes below {folder}"
        " in {bucket}, all removed again: below 0.01 CNY.",
        "{points} 个问题，最多 {calls} 个请求，对象最多 250 字节，在 {bucket} 的 {folder} 下，"
        "最后全部删除：不到 0.01 元。",
    ),
    "dry": Text("Dry run: nothing is sent.", "演练：不会发送任何请求。"),
    "title": Text(
        "What {region} did on {date} (oss-direct-upload {version})",
        "{region} 在 {date} 的表现（oss-direct-upload {version}）",
    ),
    "heads": Text("| point | question | answer | seen |", "| 项 | 问题 | 答案 | 所见 |"),
    "not_tried": Text("not tried: {why}", "没有试：{why}"),
    "silent": Text("no answer ({kind})", "没有响应（{kind}）"),
    "same": Text(
        "The local cloud does the same with: python3 manage.py serve {rules}",
        "让本地云照样做：python3 manage.py serve {rules}",
    ),
    "as_it_is": Text("The local cloud does the same as it is.", "本地云不用改，表现相同。"),
    "removed": Text("All {count} objects are removed again.", "{count} 个对象已全部删除。"),
    "left": Text(
        "These could not be removed; delete them yourself: {keys}", "以下对象没能删除，请自行删除：{keys}"
    ),
}


class Row(NamedTuple):
    """A point with what was seen; or why it was not tried."""

    point: Point
    seen: Seen | None
    why: Text | None = None


def show_cost(bucket: str, screen: Screen, language: str) -> None:
    # What a request stores takes another to remove.
    calls = 2 * sum(point.calls for point in POINTS)
    place = {"folder": FOLDER, "bucket": bucket}
    screen.line(WORDS["cost"].say(language, points=len(POINTS), calls=calls, **place))


def show_dry(screen: Screen, language: str) -> None:
    """Each question, and that none is asked."""
    for point in POINTS:
        screen.line(f"- `{point.name}`: {point.question.say(language)}")
    screen.line(WORDS["dry"].say(language))


def prove(sandbox: Sandbox) -> Iterator[Row]:
    """Each answer as it comes; what is left behind is the caller's to remove."""
    for point in POINTS:
        try:
            yield Row(point, point.tries(sandbox))
        except NotTried as error:
            yield Row(point, None, error.why)
        except requests.RequestException as error:
            said = (text.format(kind=type(error).__name__) for text in WORDS["silent"])
            yield Row(point, None, Text(*said))


def show_proof(
    settings: Settings,
    keys: AccessKeys,
    now: datetime,
    screen: Screen,
    language: str,
    *,
    function_url: str = "",
    silent_url: str = SILENT_URL,
) -> int:
    """
    Try everything, print the table, remove what was stored; 1 where something could not be.

    Neither the bucket nor the account stands in the table: it is made to be shown to others.
    """
    sandbox = Sandbox(settings, keys, now, function_url, silent_url)
    title = {"region": settings.region, "date": now.strftime("%Y-%m-%d %H:%M UTC"), "version": VERSION}
    screen.title(WORDS["title"].say(language, **title))
    screen.line()
    screen.line(WORDS["heads"].say(language))
    screen.line("|---|---|---|---|")
    seen: dict[str, bool] = {}
    stored = 0
    try:
        for row in prove(sandbox):
            screen.line(without_names(_line_of(row, language), settings))
            if row.point.is_rule and row.seen and row.seen.answer is not None:
                seen[row.point.name] = row.seen.answer
    finally:
        stored = len(sandbox.keys_left)
        left = sandbox.remove()
    screen.line()
    screen.line(_same_locally(seen, language))
    if left:
        screen.fail(WORDS["left"].say(language, keys=", ".join(left)))
        return 1
    screen.good(WORDS["removed"].say(language, count=stored))
    return 0


def _line_of(row: Row, language: str) -> str:
    if row.seen is None:
        why = row.why.say(language) if row.why else ""
        answer, evidence = WORDS["not_tried"].say(language, why=why), ""
    else:
        answer, evidence = row.seen.said.say(language), row.seen.evidence
    cells = (f"`{row.point.name}`", row.point.question.say(language), answer, evidence)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def without_names(text: str, settings: Settings) -> str:
    """Without what tells whose bucket it is: its name, its domain, the account."""
    for name in (settings.host, settings.read_origin, settings.oss_endpoint, settings.bucket):
        text = text.replace(name, "…")
    return re.sub(r"\d{10,}", "…", text)


def _same_locally(seen: Mapping[str, bool], language: str) -> str:
    usual = asdict(OssRules())
    others = [f"--rule {name}={str(value).lower()}" for name, value in seen.items() if usual[name] != value]
    if not others:
        return WORDS["as_it_is"].say(language)
    return WORDS["same"].say(language, rules=" ".join(others))
