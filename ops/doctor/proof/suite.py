"""
Questions to the user's own cloud, or to a local one: what the function relies on, and OSS's open points.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import requests

from function.config.settings import Settings
from function.credentials import AccessKeys
from function.errors import UploadError
from ops.doctor.evidence import NotTried, reason_of
from ops.doctor.findings import logged
from ops.doctor.proof import (
    forms,
    green,
    lists,
    objects,
    parts,
    pictures,
    push,
    signed_forms,
    stored,
    sts,
    wechat,
)
from ops.doctor.proof.first_object import Refusal, first_refusal, no_answer
from ops.doctor.proof.point import Point, told
from ops.doctor.proof.report import Row, answer_of, report_of
from ops.doctor.proof.sandbox import Sandbox
from ops.terminal.language import Failure, Text, why_unreadable
from ops.terminal.masking import printable
from ops.terminal.screen import RED, YELLOW, Screen

POINTS: tuple[Point, ...] = (
    *signed_forms.POINTS,
    *forms.POINTS,
    *stored.POINTS,
    *objects.POINTS,
    *pictures.POINTS,
    *parts.POINTS,
    *lists.POINTS,
    *sts.POINTS,
    *green.POINTS,
    *wechat.POINTS,
    *push.POINTS,
)
DENIED = "AccessDenied"
# Nobody is there (RFC 5737): a callback to it waits as long as OSS lets it.
SILENT_URL = "http://192.0.2.1/"
# By the list price of requests of either kind in mainland China, read in November 2026.
CNY_A_REQUEST = 0.01 / 10_000
# What all of it sends, headers left out.
MOST_BYTES = 220_000
WORDS = {
    "cost": Text(
        "{points} questions, at most {calls} requests with {bytes} bytes, below {folder} in {bucket}; all"
        " that is stored is removed again. About {cny:.4f} CNY by list price.",
        "{points} 个问题，最多 {calls} 个请求、{bytes} 字节，都在 {bucket} 的 {folder} 下，最后全部删除。"
        "按目录价约 {cny:.4f} 元。",
    ),
    "dry": Text("Dry run: nothing is sent.", "演练：不会发送任何请求。"),
    "refused": Text(
        "Nothing is asked: {step} of one object in {bucket} failed ({said}).",
        "没有提问：在桶 {bucket} 里试一个对象，{step} 失败（{said}）。",
    ),
    "removed": Text("All {count} objects are removed again.", "{count} 个对象已全部删除。"),
    "left": Text(
        "These could not be removed; delete them yourself: {keys}", "以下对象没能删除，请自行删除：{keys}"
    ),
    "relies": Text(
        "The function relies on it; otherwise {relies}.", "函数依赖这一点；不成立的话：{relies}。"
    ),
    "written": Text("The report is in {path}.", "报告在 {path}。"),
    "unwritten": Text("{path} cannot be written ({why}).", "无法写入 {path}（{why}）。"),
    "kept": Text("All {count} contracts are kept.", "{count} 条约定全部成立。"),
    "broken": Text("{count} of {total} contracts are broken.", "{total} 条约定中有 {count} 条不成立。"),
    "untried": Text("{count} questions could not be asked.", "有 {count} 个问题没能提出。"),
}


class Account(NamedTuple):
    """
    The cloud that is asked.

    Args:
        title: of the report.

        report: the file that it is written to; ``None`` for none.

        openid: of a user whom WeChat has just seen.

        others: further buckets in which the function keeps verdicts.
    """

    settings: Settings
    keys: AccessKeys
    title: Text
    report: Path | None
    function_url: str = ""
    silent_url: str = SILENT_URL
    openid: str = ""
    others: Sequence[Settings] = ()


def show_cost(bucket: str, folder: str, screen: Screen, language: str) -> None:
    # What a request stores takes another to remove.
    calls = 2 * sum(point.calls for point in POINTS)
    cny = calls * CNY_A_REQUEST + sum(point.cny for point in POINTS)
    place = {"folder": folder, "bucket": bucket, "bytes": f"{MOST_BYTES:,}", "cny": cny}
    screen.line(WORDS["cost"].say(language, points=len(POINTS), calls=calls, **place))


def show_dry(screen: Screen, language: str) -> None:
    """Each question, and that none is asked."""
    for point in POINTS:
        screen.line(f"- `{point.name}`: {point.question.say(language)}")
    screen.line(WORDS["dry"].say(language))


def prove(sandbox: Sandbox) -> Iterator[Row]:
    """Each answer as it comes; the caller removes what each question stored."""
    for point in POINTS:
        try:
            yield Row(point, point.tries(sandbox))
        except NotTried as error:
            yield Row(point, None, error.why)
        except requests.RequestException as error:
            yield Row(point, None, no_answer(error))
        except UploadError as error:
            # A call of the function found what it does not expect; a missing right of the operator's keys,
            # which made it, says nothing about the cloud.
            is_broken = point.relies and error.upstream != DENIED
            seen, why = (told(False, reason_of(error)), None) if is_broken else (None, logged(error))
            yield Row(point, seen, why)


def show_proof(account: Account, now: datetime, screen: Screen, language: str) -> int:
    """
    Ask everything, show each answer as it comes, remove what each question stored, write the report.

    Returns:
        1 where nothing can be asked, a contract is broken, or something could not be removed.
    """
    sandbox = Sandbox(account.settings, account.keys, now, account.function_url, account.silent_url)
    sandbox.openid, sandbox.others = account.openid, account.others
    screen.title(account.title.say(language))
    rows: list[Row] = []
    try:
        if refused := first_refusal(sandbox):
            _show_refusal(refused, sandbox, screen, language)
            return 1
        _warn_without_role(sandbox, screen, language)
        for row in prove(sandbox):
            rows.append(row)
            _show_row(row, len(rows), screen, language)
            sandbox.tidy()
    finally:
        # After Ctrl-C, too.
        left = sandbox.remove()
        _show_removal(sandbox.removed, left, screen, language)
    has_failed = _show_outcome(rows, screen, language) or bool(left)
    if account.report is not None:
        _write(account.report, report_of(account.title, rows, sandbox, language))
        screen.line(WORDS["written"].say(language, path=account.report))
    return 1 if has_failed else 0


def _show_refusal(refused: Refusal, sandbox: Sandbox, screen: Screen, language: str) -> None:
    bucket, said = sandbox.settings.bucket, printable(refused.said.say(language))
    screen.fail(WORDS["refused"].say(language, step=refused.step, bucket=bucket, said=said))
    screen.line(f"    → {refused.remedy.say(language)}")


def _warn_without_role(sandbox: Sandbox, screen: Screen, language: str) -> None:
    """Say once why the role cannot be taken; many questions are about its sessions."""
    try:
        sandbox.session("oss:GetObject")
    except NotTried as error:
        screen.warn(printable(error.why.say(language)))
        if error.remedy:
            screen.line(f"    → {error.remedy.say(language)}")


def _show_removal(removed: int, left: Sequence[str], screen: Screen, language: str) -> None:
    screen.line()
    if left:
        screen.fail(WORDS["left"].say(language, keys=", ".join(left)))
    elif removed:
        screen.good(WORDS["removed"].say(language, count=removed))


def _show_row(row: Row, number: int, screen: Screen, language: str) -> None:
    relies = row.point.relies
    mark, colour = ("✓", "") if relies else (" ", "")
    if row.seen is None:
        mark, colour = "-", YELLOW
    if row.is_broken:
        mark, colour = "✗", RED
    answer, seen = answer_of(row, language)
    line = f"{number:>3}/{len(POINTS)} {mark} {row.point.name}: {answer}{seen and f' ({seen})'}"
    screen.line(screen.colour(line, colour) if colour else line)
    if row.is_broken and relies:
        why = WORDS["relies"].say(language, relies=relies.say(language))
        screen.line(f"    → {row.point.question.say(language)} {why}")


def _show_outcome(rows: list[Row], screen: Screen, language: str) -> bool:
    """Return whether a contract is broken."""
    contracts = [row for row in rows if row.point.relies]
    broken = [row for row in contracts if row.is_broken]
    if untried := sum(row.seen is None for row in rows):
        screen.warn(WORDS["untried"].say(language, count=untried))
    if broken:
        screen.fail(WORDS["broken"].say(language, count=len(broken), total=len(contracts)))
    elif all(row.seen for row in contracts):
        screen.good(WORDS["kept"].say(language, count=len(contracts)))
    return bool(broken)


def _write(path: Path, text: str) -> None:
    """
    Raises:
        Failure: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        why = why_unreadable(error)
        said = WORDS["unwritten"]
        raise Failure(
            Text(said.en.format(path=path, why=why.en), said.zh.format(path=path, why=why.zh))
        ) from error
