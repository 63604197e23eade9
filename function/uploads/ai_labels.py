"""Labels of AI-made content in tickets, receipts and responses; an upload without one loads nothing more."""

from collections.abc import Mapping

from function.annotations import TYPE_CHECKING, Any
from function.auth.signed_tokens import invalid_claim
from function.context import RequestContext
from function.oss.client import OssClient, with_time_limit
from function.oss.objects import ObjectFacts
from function.uploads.tickets import FormTicket, MultipartTicket

if TYPE_CHECKING:
    from function.ai_label.label import AiLabel

# The rest is for the receipt, its webhook and the first step of a check.
MOST_SECONDS, SECONDS_AFTER = 5.0, 1.0


def declared_in(ticket: FormTicket | MultipartTicket) -> "AiLabel | None":
    """Return the label that a ticket declares, if it does."""
    if not ticket.ai_declared:
        return None
    from function.ai_label.label import declared

    return declared()


def label_in(claims: Mapping[str, Any]) -> "AiLabel":
    """Return the label in the claims of a receipt that has one; raise ``Unauthorized`` if it is invalid."""
    from function.ai_label.label import from_short

    try:
        return from_short(claims["aiLabel"])
    except ValueError:
        raise invalid_claim("aiLabel") from None


def told_label(label: "AiLabel | None", *, in_short: bool = False) -> dict[str, Any]:
    """Return ``aiLabel`` of a response or an event, or in short of a receipt; nothing if that is unknown."""
    if label is None:
        return {}
    from function.ai_label.label import short, told

    return {"aiLabel": short(label) if in_short else told(label)}


def read_label(context: RequestContext, oss: OssClient, key: str, facts: ObjectFacts) -> "AiLabel | None":
    """
    Return the label of a stored object; ``None`` if it cannot be said.

    Args:
        facts: of the object; other bytes are not read.

    Raises:
        OssUnavailable: there is no time left.
        UploadError: OSS refuses, or does not respond, or the object was replaced.
    """
    from function.ai_label.examine import examine

    seconds = min(MOST_SECONDS, min(oss.seconds_left(), context.seconds_left()) - SECONDS_AFTER)
    limited = with_time_limit(oss, seconds, context.instance.monotonic)
    return examine(limited, key, facts)
