"""``POST /callback``: OSS reports an upload; the answer goes through OSS to the mini-program."""

from typing import Any

from function.config.profile import CHECK
from function.config.types import Rate
from function.context import RequestContext
from function.limits.rate_limit import RateLimitItem
from function.oss.callback_signature import OssPublicKeys
from function.uploads.callback import verify_callback
from function.uploads.receipt import HELD, describe
from function.uploads.tickets import FormTicket
from function.webhook import tell_business

# OSS calls once an upload and may repeat itself; whoever keeps such a call could repeat it for ever.
CALLBACKS_PER_TICKET = Rate(20, 60)


def handle(context: RequestContext) -> dict[str, Any]:
    """
    Returns:
        what became of the upload, with its receipt; of what is held back its ``state``, too.
    """
    settings, instance, line = context.settings, context.instance, context.line
    keys = instance.keep(
        OssPublicKeys,
        lambda: OssPublicKeys(settings.callback_key_origin, instance.send, instance.limiter),
    )
    upload = verify_callback(context.request, settings, keys, context.now)
    assert isinstance(upload.ticket, FormTicket), "only forms have callbacks"
    line.profile, line.owner = upload.ticket.profile, upload.ticket.owner
    line.key, line.upload_id = upload.key, upload.ticket.upload_id
    # OSS knows of no trace: it comes back in the ticket.
    line.traceparent = upload.ticket.trace or line.traceparent
    instance.limiter.hit(
        [RateLimitItem("callbacks", CALLBACKS_PER_TICKET, upload.ticket.upload_id)], context.now
    )
    told = describe(upload, settings)
    tell_business(context, told["receipt"])
    if not upload.held:
        return told
    if settings.profiles[upload.ticket.profile].hold == (CHECK,):
        # Imported by those who need it alone.
        from function.holding.check import begin_check_after

        begin_check_after(context, told["receipt"])
    return {**told, "state": HELD}
