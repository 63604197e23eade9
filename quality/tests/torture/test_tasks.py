"""Tasks run in their order within the budget, and what did not run is named."""

import signal
from functools import partial

from quality.torture import __main__ as torture
from quality.torture import mutation, tasks
from quality.torture.report import Result
from quality.torture.tasks import CUT_OFF, NOT_BEGUN, Task, run_all


def test_nothing_begins_after_the_budget():
    late = [Task("faults", name, partial(Result, "faults")) for name in ("one", "two")]
    assert run_all(late, 2, until=0) == ([], {NOT_BEGUN: ["faults one", "faults two"]})


def test_tasks_that_outlive_the_budget_are_cut_off_and_named_beside_those_not_begun():
    instants = iter((0, 0))
    endless = [Task("soak", str(number), signal.pause) for number in range(2)]
    results, not_run = run_all(endless, 1, until=1, grace=0, now=lambda: next(instants, 2))
    assert (results, not_run) == ([], {CUT_OFF: ["soak 0"], NOT_BEGUN: ["soak 1"]})


def test_a_part_that_ends_in_an_error_is_a_problem_and_others_go_on():
    some = [Task("fuzz", "broken", partial(int, "x")), Task("proof", "well", partial(Result, "proof"))]
    results, not_run = run_all(some, 1)
    assert [(result.name, bool(result.problems)) for result in results] == [("fuzz", True), ("proof", False)]
    assert not_run == {}


def test_the_latest_change_comes_first_and_a_module_known_to_the_table_last(monkeypatch):
    changes = {"function/app.py": 5, "function/reading.py": 9, "function/oss/client.py": 7}
    monkeypatch.setattr(torture, "last_changes", lambda: changes)
    monkeypatch.setattr(mutation, "is_settled", lambda module: module == "function.reading")
    some = [
        Task("mutation", "function.reading", Result, ("function/reading.py",)),
        Task("mutation", "function.app", Result, ("function/app.py",)),
        Task("faults", "faults", Result, ("function/oss",)),
    ]
    assert [task.name for task in torture.by_risk(some)] == ["faults", "function.app", "function.reading"]


def test_a_change_that_is_not_committed_is_the_latest(monkeypatch):
    said = {"log": "7\n\nhandler.py\nfunction/app.py\n3\n\nhandler.py\n", "diff": "function/app.py\n"}
    monkeypatch.setattr(tasks, "_git", lambda command, *_: said[command])
    changes = tasks.last_changes()
    assert changes["handler.py"] == 7
    assert changes["function/app.py"] > 7
