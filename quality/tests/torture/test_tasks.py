"""Tasks run in their order within the budget, and what did not run is named."""

import signal
from functools import partial

from quality.torture.report import Result
from quality.torture.tasks import CUT_OFF, NOT_BEGUN, Task, run_all


def test_tasks_that_outlive_the_budget_are_cut_off_and_named_beside_those_not_begun():
    instants = iter((0, 0))
    endless = [Task("fuzz", str(number), signal.pause) for number in range(2)]
    results, not_run = run_all(endless, 1, until=1, grace=0, now=lambda: next(instants, 2))
    assert (results, not_run) == ([], {CUT_OFF: ["fuzz 0"], NOT_BEGUN: ["fuzz 1"]})


def test_a_part_that_ends_in_an_error_is_a_problem_and_others_go_on():
    some = [Task("fuzz", "broken", partial(int, "x")), Task("proof", "well", partial(Result, "proof"))]
    results, not_run = run_all(some, 1)
    assert [(result.name, bool(result.problems)) for result in results] == [("fuzz", True), ("proof", False)]
    assert not_run == {}
