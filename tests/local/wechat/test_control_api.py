"""What can be switched over HTTP."""

from local.wechat.check_plan import CheckPlan, PlannedCheck, read_planned_check
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def test_checks_are_planned_listed_and_cleared(pushing, call):
    assert call("/-/check", {"verdict": "risky", "times": 2}, "PUT")["planned"] == [
        {
            "verdict": "risky",
            "shape": "usual",
            "timing": "usual",
            "push": "secure",
            "format": "json",
            "delay": None,
            "times": 2,
        }
    ]
    assert len(call("/-/check", {"verdict": "pass"})["planned"]) == 2
    assert call("/-/check", method="DELETE")["planned"] == []
    assert "contradictory" in call("/-/check", method="GET")["choices"]["verdict"]


@cases("wanted")
def test_an_unknown_outcome_is_refused(pushing, call, wanted):
    assert call("/-/check", wanted)["error"]
    assert pushing.checks.plan.planned() == []


def test_a_planned_check_is_used_up():
    plan = CheckPlan()
    plan.add(read_planned_check({"verdict": "risky", "times": 2}))
    plan.add(read_planned_check({"verdict": "review", "times": 1}))
    assert [plan.take().verdict for _ in range(4)] == ["risky", "risky", "review", "by_name"]


def test_a_planned_check_without_times_stays():
    plan = CheckPlan()
    plan.add(PlannedCheck("pass"))
    assert {plan.take().verdict for _ in range(9)} == {"pass"}


def test_the_control_api_lists_push_results(pushing, check, call, site):
    check()
    site.pushes(1)
    told = []
    while not told:
        told = call("/-/check", method="GET")["pushed"]
    assert [(each["verdict"], each["attempts"], each["is_taken"]) for each in told] == [("pass", 1, True)]


def test_the_push_address_is_verified_by_echo(call, site):
    assert call("/-/push", method="GET") == {"url": f"{site.origin}/wechat-events"}
    assert call("/-/push", {}) == {"url": f"{site.origin}/wechat-events", "verified": False}
    _, path, _, _ = site.requests[0]
    assert {"signature=", "timestamp=", "nonce=", "echostr="} <= {
        part.partition("=")[0] + "=" for part in path.partition("?")[2].split("&")
    }


def test_an_echo_that_comes_back_as_it_is_will_do(pushing, call, site, monkeypatch):
    from local.wechat import control_api

    asked = []
    monkeypatch.setattr(control_api, "verify", lambda push, at: asked.append((push, at)) or True)
    assert call("/-/push", {})["verified"] is True
    assert asked == [(pushing.checks.push, int(pushing.now().timestamp()))]


def test_without_a_push_there_is_no_push_address(pushing, call):
    pushing.checks.push = None
    assert "no message push" in call("/-/push", method="GET")["error"]


def test_waiting_pushes_are_released_by_post_only(call):
    assert "POST" in call("/-/check/waiting", method="GET")["error"]
