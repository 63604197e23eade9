"""Events about held uploads: delivered to the business, or written down."""

from datetime import datetime

from function.annotations import Any
from function.holding.held_upload import Case
from function.moderation.finding import Finding
from function.oss.client import silent
from function.webhook import notify_business


def notify_due(
    case: Case, event: str, finding: Finding | None = None, at: datetime | None = None, **more: Any
) -> bool:
    """
    Deliver an event as ``notify`` does, before its due record is removed.

    Raises:
        OssUnavailable: it is lost; the record must stay.
    """
    if not notify(case, event, finding, at, **more):
        raise silent(f"{event}: neither delivered nor written down")
    return True


def notify(
    case: Case, event: str, finding: Finding | None = None, at: datetime | None = None, **more: Any
) -> bool:
    """
    Deliver an event to the business's webhook, with what a checker found; False if it is lost.

    Args:
        at: when it was decided; now by default.
        more: further fields.
    """
    context, upload = case.context, case.upload
    found = {} if finding is None else finding.event
    context.line.verdict = found or context.line.verdict
    location, owner = upload.profile.location, upload.owner
    said = {**found, **more}
    return notify_business(context, location, upload.receipt, upload.upload_id, owner, event, at, **said)
