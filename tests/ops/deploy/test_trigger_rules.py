"""Triggers and the domain route of ``s.yaml``: schedule, alias, and what is slower without a timer."""

from pathlib import Path

import pytest

from tests.ops.deploy.project import (
    CONFIGURED,
    FOR_OPTIONAL_BLOCKS,
    check,
    mutated,
    refuses,
    replace,
    switch_on,
)
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
CRON = "triggers.1.triggerConfig.cronExpression"
SLOWER = "webhooks --redeliver"


@cases("schedule")
def test_a_schedule_that_function_compute_takes_passes(project: Path, schedule: str) -> None:
    assert mutated(project, "'@every 1m'", f"'{schedule}'").problems == []


@cases("schedule", "named")
def test_a_schedule_that_function_compute_refuses_is_named(project: Path, schedule: str, named: str) -> None:
    report = mutated(project, "'@every 1m'", f"'{schedule}'")
    refuses(report, f"props.{CRON}", named)
    assert not any(SLOWER in hint for hint in report.hints)


@cases("old", "new", "is_slower")
def test_says_what_is_slower_without_a_tick_every_minute(
    project: Path, old: str, new: str, is_slower: bool
) -> None:
    report = mutated(project, old, new)
    assert report.problems == []
    assert any(SLOWER in hint for hint in report.hints) is is_slower


def test_a_project_without_a_timer_gets_a_hint_about_what_is_slower(project: Path) -> None:
    text = (project / "s.yaml").read_text("utf-8")
    timer = text[text.index("        - triggerName: timer") : text.index("      ## Optional, RESERVED")]
    report = mutated(project, timer, "")
    assert report.problems == [] and any(SLOWER in hint for hint in report.hints)


CHECKED = """
[checked]
key = "checked/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/*"]
confirm = true
"""


@pytest.mark.parametrize("is_there", [True, False])
@pytest.mark.parametrize("option", ['hold = ["check"]\ncheck_by = ["aliyun"]', "strip = true"])
def test_a_check_or_strip_without_a_timer_is_refused(project: Path, option: str, is_there: bool) -> None:
    text = (project / "s.yaml").read_text("utf-8")
    timer = text[text.index("        - triggerName: timer") : text.index("      ## Optional, RESERVED")]
    hold = "" if "hold" in option else 'hold = ["commit"]\n'
    (project / "profiles.toml").write_text(f"{CHECKED}{hold}{option}\n", "utf-8")
    assert not any("timer" in problem for problem in check(project / "s.yaml", CONFIGURED).problems)
    change = ("enable: true", "enable: false") if is_there else (timer, "")
    refuses(mutated(project, *change), "props.triggers", "[checked]")


@pytest.mark.parametrize(
    ("block", "place"),
    [("customDomain:", "customDomain.route.qualifier"), ("provisionConfig:", "provisionConfig.qualifier")],
)
def test_a_route_and_kept_instances_elsewhere_than_the_alias_are_refused(
    project: Path, block: str, place: str
) -> None:
    switch_on(project, block)
    environ = {**CONFIGURED, **FOR_OPTIONAL_BLOCKS}
    assert check(project / "s.yaml", environ).problems == []
    last = "path: /*\n        " if "Domain" in block else f"{block}\n"
    indent = "  " if "Domain" in block else "        "
    replace(project / "s.yaml", f"{last}{indent}qualifier: live\n", f"{last}{indent}qualifier: LATEST\n")
    refuses(check(project / "s.yaml", environ), f"props.{place}", "must be live")
