"""
Questions to the user's own cloud, or to a local one: what the function relies on, and OSS's open points.

The report is made to be committed and shown, so no bucket, account or key is in it.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests

from function import VERSION
from function.errors import UploadError
from ops.doctor.evidence import REQUEST_ID, NotTried, reason_of, text_in
from ops.doctor.findings import Finding, Refused, State, check, refusal, same, show_finding, unreachable
from ops.doctor.proof.point import NOBODY, QUESTIONS, RULES, Point, Seen, points, told
from ops.doctor.proof.sandbox import DOT, STORED_AS, Sandbox
from ops.terminal.language import Failure, Text, why_unreadable
from ops.terminal.screen import Screen

POINTS: tuple[Point, ...] = points()
DENIED = "AccessDenied"
# Of a long-lived key, or of a session.
KEY_ID = r"\b(?:LTAI|STS\.)\w{4,}"
RAM_NAME = r"\b(role|user)/[\w.@-]+"
RIGHTS = (
    "These keys have to store (with an ACL), read, list and delete objects below the folder; a bucket under"
    " retention lets nobody delete."
)


class Row(NamedTuple):
    """A point with what was seen; or why it was not tried."""

    point: Point
    seen: Seen | None
    why: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether the function relies on another answer."""
        return bool(self.point.relies) and self.seen is not None and self.seen.answer is not True

    @property
    def answer(self) -> str:
        return self.seen.said if self.seen else f"not tried: {self.why}"


def show_cost(sandbox: Sandbox, screen: Screen) -> None:
    cny = sum(point.cny for point in POINTS)
    screen.line(
        f"{len(POINTS)} questions, with small objects below {sandbox.folder} in {sandbox.settings.bucket},"
        f" all removed again. At most {cny:.3f} CNY by list price, beside requests (CNY 0.01 for 10,000)."
    )


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
            seen = told(False, reason_of(error)) if is_broken else None
            yield Row(point, seen, "" if seen else reason_of(error))


def show_proof(sandbox: Sandbox, asked: str, report: Path | None, screen: Screen) -> int:
    """
    Ask everything, show each answer as it comes, remove what each question stored, write the report.

    Args:
        asked: the cloud that is asked.
        report: the file that it is written to; ``None`` for none.

    Returns:
        1 where nothing can be asked, a contract is broken, or something could not be removed.
    """
    title = f"{asked}, asked on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC (oss-direct-upload {VERSION})"
    screen.title(title)
    rows: list[Row] = []
    try:
        first = _first_object(sandbox)
        if first.state is State.BAD:
            show_finding(first, screen, "en")
            return 1
        role = _role(sandbox)
        if role.state is not State.GOOD:
            show_finding(role, screen, "en")
        for row in prove(sandbox):
            rows.append(row)
            show_finding(_finding_of(row, len(rows)), screen, "en")
            sandbox.tidy()
    finally:
        # After Ctrl-C, too.
        left = sandbox.remove()
        screen.line()
        if left:
            screen.fail(f"These could not be removed; delete them yourself: {', '.join(left)}")
        elif sandbox.removed:
            screen.good(f"All {sandbox.removed} objects are removed again.")
    has_failed = _show_outcome(rows, screen) or bool(left)
    if report is not None:
        _write(report, report_of(title, rows, sandbox))
        screen.line(f"The report is in {report}.")
    return 1 if has_failed else 0


@check(same("Nothing is asked: one object"))
def _first_object(sandbox: Sandbox) -> Text:
    """Store, read, list and delete an object: what these keys may not do, no question may begin with."""
    key = f"{sandbox.folder}{secrets.token_hex(8)}"
    listed = {"list-type": "2", "prefix": key, "max-keys": "1"}
    steps: dict[str, tuple[str, str, dict[str, Any]]] = {
        "PutObject": ("PUT", key, {"headers": STORED_AS, "body": DOT}),
        "GetObject": ("GET", key, {}),
        "ListObjects": ("GET", "", {"query": listed}),
        "DeleteObject": ("DELETE", key, {}),
    }
    for step, (method, name, more) in steps.items():
        try:
            answer = sandbox.call(method, name, **more)
        except (NotTried, requests.RequestException) as error:
            # Of a connection that was never made nothing is left.
            is_left = sandbox.keys_left or not isinstance(error, requests.ConnectionError)
            sandbox.keys_left = [key] if is_left else []
            why = error.why if isinstance(error, NotTried) else no_answer(error)
            remedy = unreachable("OSS_HOST", "OSS_BUCKET", "OSS_REGION")
            raise Refused(same(f"{step}: {why}"), remedy) from None
        if answer.status_code not in (200, 204):
            said, remedy = refusal(answer.status_code, answer.text, answer.headers.get("x-oss-ec", ""))
            is_denied = text_in(answer, "Code") == DENIED
            raise Refused(same(f"{step}: {said.en}"), same(RIGHTS) if is_denied else remedy)
        sandbox.keys_left = [key]
    sandbox.keys_left = []
    return same("stored, read, listed and deleted")


@check(same("The role"))
def _role(sandbox: Sandbox) -> Text:
    """Many questions are about its sessions: why it cannot be taken is said once, first."""
    try:
        return same(sandbox.session("oss:GetObject").access_key_id)
    except NotTried as error:
        raise Refused(same(error.why), error.remedy, State.UNSURE) from None


def no_answer(error: requests.RequestException) -> str:
    return f"no answer ({type(error).__name__})"


def _finding_of(row: Row, number: int) -> Finding:
    point, seen = row.point, row.seen
    state = State.BAD if row.is_broken else State.GOOD if seen else State.SKIPPED
    said = f"{row.answer} ({seen.evidence})" if seen and seen.evidence else row.answer
    remedy = same(f"{point.asks} The function relies on it; otherwise {point.relies}.")
    name = same(f"{number:>3}/{len(POINTS)} {point.name}")
    return Finding(name, state, same(said), remedy if row.is_broken else None)


def _show_outcome(rows: list[Row], screen: Screen) -> bool:
    """Return whether a contract is broken."""
    contracts = [row for row in rows if row.point.relies]
    broken = [row for row in contracts if row.is_broken]
    if untried := sum(row.seen is None for row in rows):
        screen.warn(f"{untried} questions could not be asked.")
    if broken:
        screen.fail(f"{len(broken)} of {len(contracts)} contracts are broken.")
    elif all(row.seen for row in contracts):
        screen.good(f"All {len(contracts)} contracts are kept.")
    return bool(broken)


def _write(path: Path, text: str) -> None:
    """Raises Failure: it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        why = why_unreadable(error)
        said = Text(f"{path} cannot be written ({why.en}).", f"无法写入 {path}（{why.zh}）。")
        raise Failure(said) from error


def report_of(title: str, rows: Sequence[Row], sandbox: Sandbox) -> str:
    lines = [f"# {title}"]
    for name, are_contracts in (("What the function relies on", True), ("Open points", False)):
        lines += ["", f"## {name}", "", "| point | question | answer | seen |", "|---|---|---|---|"]
        lines += [_line_of(row, sandbox) for row in rows if bool(row.point.relies) is are_contracts]
    lines += ["", *_same_locally(rows), "", "## What is not asked", "", "| points | why |", "|---|---|"]
    lines += [f"| {', '.join(names)} | {why} |" for why, names in QUESTIONS[NOBODY].items()]
    return "\n".join(lines) + "\n"


def _line_of(row: Row, sandbox: Sandbox) -> str:
    answer = f"**no**: {row.point.relies}" if row.is_broken else without_names(row.answer, sandbox)
    seen = without_names(row.seen.evidence if row.seen else "", sandbox)
    cells = (f"`{row.point.name}`", row.point.asks, answer, seen)
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def without_names(text: str, sandbox: Sandbox) -> str:
    """Without what tells whose bucket it is: its name, its domains, the account with role and user, keys."""
    settings = sandbox.settings
    urls = [settings.host, settings.read_origin, settings.oss_endpoint, sandbox.function_url]
    urls += [url for url in (settings.callback_url, settings.upload_webhook_url) if url]
    names = {*urls, *(urlsplit(url).hostname for url in urls), sandbox.keys.access_key_id, sandbox.openid}
    names |= {entry.id.partition(":")[2] for entry in settings.callers}
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(name, "…")
    # A short name is part of other words.
    text = re.sub(rf"(?<![a-z0-9-]){re.escape(settings.bucket)}(?![a-z0-9])", "…", text)
    text = re.sub(KEY_ID, "…", re.sub(RAM_NAME, r"\1/…", re.sub(REQUEST_ID, "", text)))
    return re.sub(r"(?<![0-9A-Fa-f])\d{10,}(?![0-9A-Fa-f])", "…", text)


def _same_locally(rows: Sequence[Row]) -> Iterator[str]:
    answers = {row.point.name: row.seen.answer for row in rows if row.seen and row.point.name in RULES}
    others = {name: answer for name, answer in answers.items() if answer not in (None, RULES[name])}
    if not others:
        yield "The local cloud does the same as it is."
        return
    rules = " ".join(f"--rule {name}={str(answer).lower()}" for name, answer in others.items())
    yield f"The local cloud does the same with: `python3 manage.py serve {rules}`"
