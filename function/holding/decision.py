"""
The decision about a held upload: made once, whoever comes second is told what it was.

The only one that is ever changed is to publish, by a backend that discards what it has published.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from function.errors import OssUnavailable
from function.holding import records
from function.holding.upload import HeldUpload
from function.oss.client import OssClient

PUBLISH, REJECT, DISCARD = "publish", "reject", "discard"
# Who may say so: a step of the profile, or somebody by hand.
BY_CHECK, BY_COMMIT, BY_BACKEND, BY_OWNER = "check", "commit", "backend", "owner"


class Decision(NamedTuple):
    """
    What happens to an upload.

    Args:
        what: ``PUBLISH``, ``REJECT`` or ``DISCARD``.

        by: whose decision it is.

        receipt: text of the receipt that it is about; no other bytes than that one's are published.

        etag: of these bytes.

        label: WeChat's, where its verdict decided and had one.
    """

    what: str
    by: str
    receipt: str
    etag: str
    label: int | None = None


def decision_about(upload: HeldUpload, what: str, by: str, label: int | None = None) -> Decision:
    """A decision about what this receipt is about, not made yet."""
    return Decision(what, by, upload.receipt, upload.etag, label)


def read_decision(oss: OssClient, upload_id: str) -> Decision | None:
    """
    What was decided about an upload; ``None`` as long as nothing was.

    Raises:
        UploadError: OSS refuses, or does not answer.
    """
    said = records.get(oss, records.decided(upload_id))
    if said is None:
        return None
    try:
        return Decision(said["decision"], said["by"], said["receipt"], said["etag"], said.get("label"))
    except KeyError:
        raise OssUnavailable(reason="the decision's marker lacks a field") from None


def decide(oss: OssClient, upload: HeldUpload, wanted: Decision, now: datetime) -> tuple[Decision, bool]:
    """
    Make a decision, unless there is one.

    Returns:
        the decision that holds, and whether it was made here.

    Raises:
        UploadError: OSS refuses, or does not answer; then it may have been made or not.
    """
    name = records.decided(upload.upload_id)
    if records.create(oss, name, _said(wanted), now):
        return wanted, True
    found = read_decision(oss, upload.upload_id)
    if found is None:
        raise OssUnavailable(reason="the decision went away while it was made")
    return found, False


def withdraw(oss: OssClient, upload: HeldUpload, wanted: Decision, now: datetime) -> None:
    """
    Discard what it had been decided to publish.

    Raises:
        UploadError: OSS refuses, or does not answer; then it may have been done or not.
    """
    records.put(oss, records.decided(upload.upload_id), _said(wanted), now)


def _said(decision: Decision) -> Mapping[str, Any]:
    label = {} if decision.label is None else {"label": decision.label}
    return {
        "decision": decision.what,
        "by": decision.by,
        **label,
        "etag": decision.etag,
        "receipt": decision.receipt,
    }
