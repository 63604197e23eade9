"""``POST /callback``: OSS reports an upload, and passes the response on to the mini-program."""

from function.annotations import Any
from function.config.types import Rate
from function.context import RequestContext
from function.lifecycle.confirmation import begin_check
from function.oss.callback_signature import OssPublicKeys
from function.uploads.callback_verification import verify_callback
from function.uploads.rates_by_ticket import count_call
from function.uploads.receipt import HELD, describe, notify_stored
from function.uploads.tickets import FormTicket

# OSS calls once an upload, perhaps again; anyone who recorded such a call could repeat it without bound.
CALLBACKS_PER_TICKET = Rate(20, 60)


def handle(context: RequestContext) -> dict[str, Any]:
    """Return the upload with its receipt; of a held one its ``state``, too."""
    settings, instance, line = context.settings, context.instance, context.line
    origin = settings.callback_key_origin
    keys = instance.keep(OssPublicKeys, lambda: OssPublicKeys(origin, instance.send, instance.limiter))
    upload = verify_callback(context.request, settings, keys, context.now)
    ticket = upload.ticket
    assert isinstance(ticket, FormTicket), "only forms have callbacks"
    line.profile, line.owner = ticket.profile, ticket.owner
    line.key, line.upload_id = upload.key, ticket.upload_id
    # OSS passes no trace on; the ticket carries it.
    line.traceparent = ticket.trace
    count_call(context, "callbacks", CALLBACKS_PER_TICKET, ticket, is_from_oss=True)
    if ticket.replaces and not upload.is_held:
        from function.holding.replaced_deletion import delete_replaced

        delete_replaced(context, ticket, upload.key)
    response = describe(upload, settings)
    notify_stored(context, upload, response["receipt"])
    if not upload.is_held:
        return response
    return begin_check(context, settings.profiles[ticket.profile], {**response, "state": HELD})
