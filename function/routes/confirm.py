"""``POST /confirm``: a ticket for a receipt of what OSS itself says."""

from typing import Any

from function.body import read_json_object
from function.errors import NotFound
from function.instance import Call
from function.key_template import published_name
from function.kinds import Rate
from function.limits import Claim
from function.objects_session import oss_of
from function.oss.objects import head_object
from function.receipts.confirm import answer_stored, read_confirmable, upload_of

CONFIRMATIONS_PER_TICKET = Rate(30, 60)


def answer(call: Call) -> dict[str, Any]:
    """
    Returns:
        what ``/callback`` answers, ``width`` and ``height`` null, and ``"state"``: ``stored`` or ``held``.
    """
    settings, line = call.settings, call.line
    if not any(profile.confirm for profile in settings.profiles.values()):
        raise NotFound("Nothing is confirmed here.")
    ticket = read_confirmable(read_json_object(call.request.body), settings, call.now)
    line.profile, line.owner = ticket["profile"], ticket["owner"]
    line.key, line.upload_id = published_name(ticket["key"]), ticket["jti"]
    # Whoever has a ticket could have OSS asked for ever.
    claim = Claim("confirmations", CONFIRMATIONS_PER_TICKET, ticket["jti"])
    call.instance.limits.take([claim], call.now)
    return answer_stored(call, upload_of(ticket, head_object(oss_of(call), ticket["key"])))
