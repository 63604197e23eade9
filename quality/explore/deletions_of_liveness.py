"""Lines of ``function/holding/`` without which something waits for ever, or nobody hears of it."""

from quality.explore.take_out import Deletion

VISIBLE, OUTCOME = "what_passed_every_step_is_visible", "what_was_accepted_has_an_outcome"


def _missed(module: str, line: str, instead: str, scenario: str, rule: str) -> Deletion:
    """Taken out, it is missed in the end."""
    return Deletion(f"function.holding.{module}", line, instead, scenario, f"in the end: {rule}")


LIVENESS = {
    "the publication after a pass of WeChat": _missed(
        "wechat_check",
        "decide(case, current, states.PUBLISH, states.BY_CHECK, finding)",
        "current",
        "pass",
        VISIBLE,
    ),
    "the publication after a pass of Aliyun": _missed(
        "aliyun_check",
        "decide(case, asked, PUBLISH, BY_CHECK, answer.finding)",
        "asked",
        "form and confirm, aliyun",
        VISIBLE,
    ),
    "the publication after a commit": _missed(
        "commands",
        "decide(case, HeldState(states.HELD), states.PUBLISH, states.BY_COMMIT)",
        "HeldState(states.HELD)",
        "commit",
        VISIBLE,
    ),
    "the decision by hand": _missed(
        "commands",
        "decide(case, current, hand.action, states.BY_BACKEND, hand=hand)",
        "current",
        "publish",
        VISIBLE,
    ),
    "the verdict that came early": _missed(
        "wechat_check", "    if early is not None:\n", "    if False:\n", "verdict against commit", VISIBLE
    ),
    "the second search for a submission": _missed(
        "wechat_check",
        "        found = records.checks_of(buckets.values(), name)\n",
        "",
        "verdict against commit",
        VISIBLE,
    ),
    "the commit in the progress of a check": _missed(
        "leases",
        "is_committed = COMMIT in profile.hold",
        "is_committed = False",
        "commit, to be checked",
        OUTCOME,
    ),
    "the human after two silences": _missed(
        "steps",
        "return leave_to_a_human(case, current, Finding(finding.SILENT, WECHAT))",
        "return current",
        "commit, to be checked",
        OUTCOME,
    ),
    "the due record of a check": _missed(
        "wechat_check",
        "    if current.state in (states.ACCEPTED, states.ANSWERED) and not case.due:\n",
        "    if False:\n",
        "commit, to be checked",
        OUTCOME,
    ),
    "the due record of the next step of a check": _missed(
        "due_check",
        "if not (current.due or current.next_at or current.shown == CHECKING):",
        "if True:",
        "commit, to be checked",
        OUTCOME,
    ),
    "the submission to WeChat": _missed(
        "steps", "return submit(case, current)", "return current", "commit, to be checked", OUTCOME
    ),
    "the delivery of a review": _missed(
        "decision_records",
        "if is_new and notify(case, REVIEW, finding):",
        "if is_new:",
        "commit, to be checked",
        "the_outcome_was_told",
    ),
    "the end of a check": _missed(
        "due_check",
        "if not (current.due or current.next_at or current.shown == CHECKING):",
        "if False:",
        "pass",
        "nothing_becomes_due_any_more",
    ),
    "the due record at the end of a hold": _missed(
        "decision_records", "    note_check(case, upload.held_until)\n", "", "doubt", "an_end_by_time_is_told"
    ),
    "the decision at the end of a hold": _missed(
        "due_check",
        "if current.shown == GONE and _expire(case):",
        "if False:",
        "doubt",
        "an_end_by_time_is_told",
    ),
    "the end of a hold": _missed(
        "held_upload", " and now < self.ends(facts)", "", "ask, held", "nothing_is_held_past_its_end"
    ),
    "the caller in the name of a check's record": Deletion(
        "function.holding.wechat_check",
        "    if settings.unnamed and app == settings.unnamed.app:\n",
        "    if True:\n",
        "callers, one trace id",
        "in the end: what_passed_every_step_is_visible",
    ),
}
