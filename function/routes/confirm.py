"""``POST /confirm``: exchange a ticket for a receipt, after asking OSS for the object."""

from collections.abc import Mapping
from datetime import datetime

from function.annotations import Any
from function.config.key_template import published_name
from function.config.settings import Settings
from function.config.types import Rate
from function.context import RequestContext
from function.errors import NotUploaded
from function.http.json_body import read_json_object
from function.lifecycle.confirmation import decided_response, report
from function.oss.client import oss_client
from function.oss.objects import head_object
from function.uploads.rates_by_ticket import count_call
from function.uploads.receipt import check_stored
from function.uploads.tickets import FormTicket, invalid_ticket, ticket_in

CONFIRMATIONS_PER_TICKET = Rate(30, 60)


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Return the response of ``/callback`` with ``width`` and ``height`` null, and ``"state"``: ``stored``,
    ``held``, or the state that was decided.
    """
    settings, line = context.settings, context.line
    ticket = read_confirmable(read_json_object(context.request.body), settings, context.now)
    line.profile, line.owner = ticket.profile, ticket.owner
    line.key, line.upload_id = published_name(ticket.key), ticket.upload_id
    # The holder of a ticket could call OSS without bound.
    count_call(context, "confirmations", CONFIRMATIONS_PER_TICKET, ticket)
    profile = settings.profiles[ticket.profile]
    oss = oss_client(context, profile.location)
    facts = head_object(oss, ticket.key)
    if facts is None:
        if profile.is_held and (response := decided_response(context, oss, ticket.upload_id)):
            return response
        raise NotUploaded
    return report(context, oss, check_stored(ticket, facts, profile), facts)


def read_confirmable(fields: Mapping[str, Any], settings: Settings, now: datetime) -> FormTicket:
    """Return the ticket in the body of ``/confirm``; raise ``BadRequest`` or ``Forbidden`` without one."""
    ticket = FormTicket.read(ticket_in(fields), settings, now)
    if not ticket.admits_key(ticket.key) or not settings.profiles[ticket.profile].confirm:
        raise invalid_ticket("its upload cannot be confirmed")
    return ticket
