"""Label of AI-made content of an upload that was just stored, or is found again."""

from datetime import timedelta

from function.ai_label.label import declared
from function.context import RequestContext
from function.errors import UploadError
from function.oss.client import OssClient
from function.oss.objects import ObjectFacts
from function.uploads.ai_labels import read_label
from function.uploads.receipt import RECEIPT_LIFE, VerifiedUpload, describe


def with_label(
    context: RequestContext,
    oss: OssClient,
    upload: VerifiedUpload,
    facts: ObjectFacts,
    life: timedelta = RECEIPT_LIFE,
) -> VerifiedUpload:
    """Return an upload with what its object carries; what cannot be read now is not the request's failure."""
    try:
        if context.settings.profiles[upload.ticket.profile].is_held:
            return _with_held_label(context, oss, upload, facts, life)
        known, id = context.ai_labels, (oss.bucket, upload.key, facts.etag)
        # A request may name the same bytes twenty times.
        if id not in known:
            known[id] = read_label(context, oss, upload.key, facts)
    except UploadError as error:
        context.line.reason = f"label: {error.code}, {error.reason}"
        return upload
    return upload._replace(ai_label=declared(known[id]) if upload.ticket.ai_declared else known[id])


def _with_held_label(
    context: RequestContext, oss: OssClient, upload: VerifiedUpload, facts: ObjectFacts, life: timedelta
) -> VerifiedUpload:
    from function.holding.held_upload import Case, read_receipt
    from function.holding.label_record import note_label, read_held_label

    receipt = describe(upload, context.settings, life)["receipt"]
    case = Case(context, oss, read_receipt(receipt, context.settings, context.now))
    try:
        return upload._replace(ai_label=read_held_label(case, facts))
    except UploadError:
        if upload.is_held:
            note_label(case)
        raise
