"""What is stored already need not be sent again: an owner's object whose name is the digest of its bytes."""

from collections.abc import Iterable
from typing import Any

from function.errors import Forbidden, NotUploaded, UploadError
from function.instance import Call
from function.objects_session import oss_of
from function.oss.calls import OssCalls
from function.oss.objects import head_object
from function.oss.post_form import iso
from function.receipts.confirm import upload_of
from function.receipts.receipt import answer_about
from function.receipts.ticket import read_ticket


def answers_about_stored(call: Call, tickets: Iterable[str]) -> dict[str, dict[str, Any]]:
    """
    What is answered instead of a form, by the ticket of that form.

    An object counts when ``/confirm`` would take the form's ticket for it: of the announced size and the
    wanted type. Where OSS cannot be asked the file is sent once more, and the log says why.

    Returns:
        ``{"exists": true, "key", "fileUrl", "uploadId", "serverTime", "receipt"}`` each.
    """
    found: dict[str, dict[str, Any]] = {}
    try:
        oss = oss_of(call)
        for ticket in tickets:
            if answer := _answer(call, oss, ticket):
                found[ticket] = answer
    except UploadError as error:
        call.line.reason = f"not asked whether it exists: {error.reason}"
    return found


def _answer(call: Call, oss: OssCalls, ticket: str) -> dict[str, Any] | None:
    claims = read_ticket(ticket, call.settings, call.now)
    facts = head_object(oss, claims["key"])
    try:
        told = answer_about(upload_of(claims, facts), call.settings)
    except (NotUploaded, Forbidden):
        return None
    return {
        "exists": True,
        "key": told["key"],
        "fileUrl": told["url"],
        "uploadId": told["uploadId"],
        "serverTime": iso(call.now),
        "receipt": told["receipt"],
    }
