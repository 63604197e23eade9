"""same_work: what is measured has done its work, each time."""

import json
from types import SimpleNamespace

import pytest

from quality.bench import cold_start
from quality.bench.fresh_process import FirstLine
from quality.bench.modes import WECHAT
from quality.bench.same_work import WrongWork, check_form


def test_a_form_with_a_changed_policy_is_not_the_same_work(floor, clock):
    floor, task = floor
    answer = floor.sign(task.WANTED, clock())
    check_form("floor", answer)
    answer["formData"]["policy"] = answer["formData"]["policy"].replace("e", "f", 1)
    with pytest.raises(WrongWork, match="floor"):
        check_form("floor", answer)


@pytest.mark.parametrize("answer", [{"status": "ok"}, {}, None])
def test_something_else_than_a_form_is_not_the_same_work(answer):
    with pytest.raises(WrongWork, match="no V4 form"):
        check_form("somebody", answer)


def test_every_form_of_a_cold_start_is_checked_and_not_the_last_alone(floor, clock, monkeypatch):
    floor, task = floor
    contestants = len(cold_start.SCRIPT_OF)
    good = json.dumps(floor.sign(task.WANTED, clock()))
    # The first round does not count; then the function, which stands first, prints no form once.
    lines = iter([good] * contestants + ["{}"] + [good] * (3 * contestants - 1))
    monkeypatch.setattr(cold_start, "command_of", lambda bench, name: [name])
    monkeypatch.setattr(cold_start, "time_first_line", lambda *_: FirstLine(next(lines), 1.0, 1.0, 1.0))
    with pytest.raises(WrongWork, match=WECHAT):
        cold_start.measure(SimpleNamespace(environ_of=lambda _: {}), 3, lambda _: None)
