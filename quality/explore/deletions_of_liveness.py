"""Lines of ``function/holding/`` without which something waits for ever, or nobody hears of it."""

from quality.explore.take_out import Deletion

VISIBLE, OUTCOME = "what_passed_every_step_is_visible", "what_was_accepted_has_an_outcome"


def _missed(module: str, line: str, instead: str, scenario: str, rule: str) -> Deletion:
    """Taken out, it is missed in the end."""
    return Deletion(f"function.holding.{module}", line, instead, scenario, f"in the end: {rule}")


LIVENESS = {
    "the publication after a pass of WeChat": _missed(
        "check", "decide(context, oss, upload, PUBLISH, BY_CHECK, finding)", "current", "pass", VISIBLE
    ),
    "the publication after a pass of Aliyun": _missed(
        "aliyun_check",
        "decide(context, oss, upload, PUBLISH, BY_CHECK, verdict.finding)",
        "HeldState(CHECKING)",
        "form and confirm, aliyun",
        VISIBLE,
    ),
    "the publication after a commit": _missed(
        "actions", "decide(context, oss, upload, PUBLISH, BY_COMMIT)", "current", "commit", VISIBLE
    ),
    "the decision by hand": _missed(
        "actions",
        "decide(context, oss, upload, action, BY_BACKEND, reviewer=who)",
        "current",
        "publish",
        VISIBLE,
    ),
    "the verdict that came early": _missed(
        "check", "    if early is not None:\n", "    if False:\n", "verdict against commit", VISIBLE
    ),
    "the second search for a submission": _missed(
        "check",
        "        found = records.checks_of(buckets.values(), verdict.trace_id)\n",
        "",
        "verdict against commit",
        VISIBLE,
    ),
    "the record of a commit that a check follows": _missed(
        "actions",
        "records.commit_key(upload.upload_id)",
        "records.fetched_key(upload.upload_id)",
        "commit, to be checked",
        OUTCOME,
    ),
    "the human after two silences": _missed(
        "check",
        "return leave_to_a_human(context, oss, upload, Finding(SILENT, WECHAT))",
        "return current",
        "commit, to be checked",
        OUTCOME,
    ),
    "the due record of a check": _missed(
        "check",
        "    if current.lease == records.submission_key(",
        "    if None is (lambda *_: 0)(",
        "commit, to be checked",
        OUTCOME,
    ),
    "the due record of the next step of a check": _missed(
        "undecided",
        "if not (current.due or current.silent_at or current.state == CHECKING):",
        "if True:",
        "commit, to be checked",
        OUTCOME,
    ),
    "the submission to WeChat": _missed(
        "check",
        "return _submit(context, oss, upload, current) if current.due > 0 else current",
        "return current",
        "commit, to be checked",
        OUTCOME,
    ),
    "the delivery of a review": _missed(
        "decision",
        "if is_new and notify(context, upload, REVIEW, finding):",
        "if is_new:",
        "commit, to be checked",
        "the_outcome_was_told",
    ),
    "the end of a check": _missed(
        "undecided",
        "if not (current.due or current.silent_at or current.state == CHECKING):",
        "if False:",
        "pass",
        "nothing_becomes_due_any_more",
    ),
    "the due record at the end of a hold": _missed(
        "decision", "    note_end(context, oss, upload)\n", "", "doubt", "an_end_by_time_is_told"
    ),
    "the decision at the end of a hold": _missed(
        "undecided",
        "            _expire(context, own, upload)\n",
        "            pass\n",
        "doubt",
        "an_end_by_time_is_told",
    ),
    "the end of a hold": _missed(
        "held_upload", " and now < self.ends(facts)", "", "ask, held", "nothing_is_held_past_its_end"
    ),
}
