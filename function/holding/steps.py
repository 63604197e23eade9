"""The steps of an accepted upload: a clean copy, Aliyun's check, WeChat's."""

from function.config.green import ALIYUN, WECHAT
from function.context import RequestContext
from function.errors import UploadError
from function.holding.current_state import ASK, CLEAN, GIVE_UP, SILENT, SUBMIT, HeldState, is_first_attempt
from function.holding.decide import settle
from function.holding.decision_records import leave_to_a_human, note_check
from function.holding.held_upload import Case, read_receipt
from function.holding.transitions import ASKING, HELD, TASK
from function.moderation import finding
from function.moderation.finding import Finding
from function.oss.client import oss_client, with_time_limit
from function.webhook import RECORD_SECONDS


def begin_check_after(context: RequestContext, receipt: str) -> HeldState:
    """
    Begin the check of an object that was just stored, and return its state; a tick retries what fails.

    Args:
        receipt: of a profile whose ``hold`` begins with ``check``.

    Raises:
        UploadError: not even the due record for that tick could be written; the request must be repeated.
    """
    upload = read_receipt(receipt, context.settings, context.now)
    oss = oss_client(context, upload.profile.location)
    seconds = context.seconds_left() - RECORD_SECONDS
    case = Case(context, with_time_limit(oss, seconds, context.instance.monotonic), upload)
    try:
        current = settle(case)
        # A ticket begins each step once: who repeats it starts no work that costs.
        return take_step(case, current) if is_first_attempt(current) else current
    except UploadError as error:
        # The request succeeds all the same, so nobody would repeat it; this client may have no time left.
        note_check(case._replace(oss=oss_client(context, upload.profile.location)))
        context.line.reason = f"check: {error.code}, {error.reason}"
        return HeldState(HELD)


def take_step(case: Case, current: HeldState) -> HeldState:
    """
    Take the step that is due, unless another request does; after a failure a later one retries.

    Raises:
        UploadError: OSS refuses, or does not respond; it is retried after a minute.
    """
    if current.has_other_rules and not _is_accepted_under_these(case, current):
        return leave_to_a_human(case, current, Finding(finding.RULES))
    if current.due == CLEAN:
        from function.holding.cleaning import continue_with_cleaning

        case, current = continue_with_cleaning(case, current)
    # What is checked is what is shown.
    case = case.of_copy(current.copy)
    if current.due == ASK:
        from function.holding.aliyun_check import continue_with_aliyun

        case, current = continue_with_aliyun(case, current)
    if current.due == GIVE_UP:
        by = ALIYUN if current.state in (ASKING, TASK) else WECHAT
        return leave_to_a_human(case, current, Finding(finding.NOT_CHECKED, by))
    if current.due == SILENT:
        return leave_to_a_human(case, current, Finding(finding.SILENT, WECHAT))
    if current.due == SUBMIT:
        from function.holding.wechat_check import submit

        return submit(case, current)
    return current


def _is_accepted_under_these(case: Case, current: HeldState) -> bool:
    """Return whether no checker looks at an upload, and a backend committed it under the present rules."""
    profile, progress = case.upload.profile, current.progress
    return not profile.is_checked and progress is not None and progress.rules == profile.rules
