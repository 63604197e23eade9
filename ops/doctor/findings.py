"""Findings of ``doctor``, and remedies for errors that several checks share."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import wraps

from function.config.profile import Profile
from function.errors import UploadError
from ops.explain.advice import condition_remedy, find_advice
from ops.explain.parser import read_pasted
from ops.explain.pasted import Pasted, PastedError, Unreadable
from ops.terminal.language import LANGUAGES, Text
from ops.terminal.masking import failed_condition, printable, shown_message
from ops.terminal.screen import GREEN, RED, YELLOW, Screen


class State(Enum):
    """State of a check; only ``BAD`` fails the examination."""

    GOOD = "good"
    BAD = "bad"
    UNSURE = "unsure"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Finding:
    """
    One line on the screen.

    Args:
        check: what was looked at.
        said: what was seen.
        remedy: what to do about it.
        where: the bucket that it is about, where a deployment has several; ``None`` where it is about none.
    """

    check: Text
    state: State
    said: Text
    remedy: Text | None = None
    where: Text | None = None


MARKS = {
    State.GOOD: ("✓", GREEN),
    State.BAD: ("✗", RED),
    State.UNSURE: ("!", YELLOW),
    State.SKIPPED: ("-", ""),
}
JOINT = Text("{check}: {said}", "{check}：{said}")


def show_finding(finding: Finding, screen: Screen, language: str) -> None:
    indent = "  " if finding.where else ""
    mark, colour = MARKS[finding.state]
    check, said = finding.check.say(language), printable(finding.said.say(language))
    line = f"{indent}{mark} {JOINT.say(language, check=check, said=said)}"
    screen.line(screen.colour(line, colour) if colour else line)
    if finding.remedy and finding.state is not State.GOOD:
        screen.line(f"{indent}    → {finding.remedy.say(language)}")


class Refused(Exception):
    """Raised by a check: what is not as it should be, and what to do."""

    def __init__(self, said: Text, remedy: Text | None, state: State = State.BAD) -> None:
        super().__init__(said.en)
        self.said, self.remedy, self.state = said, remedy, state


def check(title: Text) -> Callable[[Callable[..., Text]], Callable[..., Finding]]:
    """Make a check of a function that says what is well; it is named after the profile that it is about."""

    def decorate(tries: Callable[..., Text]) -> Callable[..., Finding]:
        @wraps(tries)
        def checked(*given: object) -> Finding:
            name = next((f" [{one.name}]" for one in given if isinstance(one, Profile)), "")
            about = Text(f"{title.en}{name}", f"{title.zh}{name}")
            try:
                return Finding(about, State.GOOD, tries(*given))
            except Refused as error:
                return Finding(about, error.state, error.said, error.remedy)

        return checked

    return decorate


def same(text: str) -> Text:
    """A text that is the same in both languages: a value or a name."""
    return Text(text, text)


def logged(error: UploadError) -> Text:
    """Return the reason as the function would log it, in English."""
    reason = error.reason or error.message
    return Text(reason, f"日志写的是“{reason}”")


def joined(*texts: Text) -> Text:
    return Text(" ".join(text.en for text in texts), "".join(text.zh for text in texts))


def unreachable(*names: str) -> Text:
    """Return the remedy for a silent service: the settings of its address, and the network."""
    listed = ", ".join(names)
    return Text(
        f"Check {listed}, the network and the proxy variables (HTTPS_PROXY).",
        f"请检查 {listed}、网络与代理变量（HTTPS_PROXY）。",
    )


def set_up_again(en: str, zh: str) -> Text:
    """Return the remedy for a right that the role lacks."""
    return Text(
        f"The role does not allow {en} yet: run manage.py setup again.",
        f"角色还不允许{zh}：请再运行一次 manage.py setup。",
    )


def deploy_again(en: str, zh: str) -> Text:
    """Return the remedy where settings of this machine are not those of the deployed function."""
    return Text(
        f"{en} here and in the deployed function differ: make deploy.",
        f"本机与已部署函数的{zh}不同：请 make deploy。",
    )


def pasted_in(text: str) -> Pasted | None:
    """Return what ``explain`` reads in a response, the first of several."""
    with suppress(Unreadable):
        return read_pasted(text)[0]
    return None


def refusal(status: int, text: str, ec: str = "") -> tuple[Text, Text]:
    """Return the error of a service, in XML of OSS or JSON of STS and the function, and its remedy."""
    pasted = pasted_in(text)
    if not isinstance(pasted, PastedError):
        pasted = PastedError("", "", ec, status=status)
    code = printable(pasted.code) or "-"
    en, zh = (shown_message(pasted.message, language) for language in LANGUAGES)
    # What others say stays as they said it.
    said = Text(
        f"HTTP {status} {code}" + (f": {en}" if en else ""),
        f"HTTP {status} {code}" + (f"：“{zh}”" if zh else ""),
    )
    advice = find_advice(pasted.code, pasted.message, pasted.ec or ec)
    if advice is None:
        return said, Text(
            "This answer is not in the table. Ask `manage.py explain` with the whole of it.",
            "表中没有这个响应。可把完整内容交给 `manage.py explain`。",
        )
    remedy = joined(advice.meaning, advice.remedy)
    if failed := failed_condition(pasted.message):
        remedy = joined(condition_remedy(str(failed[1]).lstrip("$")), advice.remedy)
    return said, remedy


OTHER_PROFILES = Text(
    "The deployed function has other profiles than this machine, or is an older one: make deploy.",
    "已部署的函数用的是别的用途文件，或版本较旧：请 make deploy。",
)
