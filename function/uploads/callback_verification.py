"""Upload callbacks: accepted only when OSS signed them and our ticket fits."""

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from function.config.content_types import bare_type
from function.config.key_template import is_held_name, published_name
from function.config.settings import Settings
from function.errors import BadRequest
from function.http.gateway import Request
from function.oss.callback_signature import (
    KEY_URL_HEADER,
    OssPublicKeys,
    decode_header,
    is_signed_by_oss,
    key_path,
)
from function.oss.responses import etag_in
from function.uploads.ai_labels import declared_in
from function.uploads.receipt import VerifiedUpload
from function.uploads.tickets import FormTicket, invalid_ticket

WHOLE_NUMBER = "[0-9]{1,15}"


def verify_callback(
    request: Request, settings: Settings, keys: OssPublicKeys, now: datetime
) -> VerifiedUpload:
    """
    Return the upload of a callback that OSS signed and whose ticket we signed.

    OSS's key has 512 bits, the hash is MD5, and OSS signs any callback that a form names, so its signature
    alone proves little. The ticket proves whose form it was, for which key, type and sizes; that the object
    exists is only the uploader's word. The ticket is read first: without one, no key is fetched.
    """
    signature = decode_header(request.headers.get("authorization", ""), "authorization")
    address = request.headers.get(KEY_URL_HEADER, "")
    key_path(address)
    reported = _read_report(request.body)
    ticket = FormTicket.read(reported.get("ticket", ""), settings, now)
    public_key = keys.find(address, ticket_id=ticket.upload_id, now=now)
    if not is_signed_by_oss(
        public_key, signature, path=request.path, raw_query=request.raw_query, body=request.body
    ):
        raise invalid_ticket("the signature of the callback does not match")
    return _upload(reported, ticket, settings)


def _read_report(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=64
        )
    except ValueError:
        raise BadRequest("The body must be form-encoded, as the callback field says.") from None
    reported = dict(pairs)
    if len(reported) != len(pairs):
        raise BadRequest("The body repeats a field.")
    return reported


def _upload(reported: Mapping[str, str], ticket: FormTicket, settings: Settings) -> VerifiedUpload:
    """Return the reported upload, if the form of the ticket admitted it."""
    key = reported.get("object", "")
    if not ticket.admits_key(key):
        raise invalid_ticket("ticket: for another object")
    if reported.get("bucket") != settings.profiles[ticket.profile].location.bucket:
        raise invalid_ticket("the object is in another bucket")
    size, etag = reported.get("size", ""), etag_in(reported.get("etag"))
    mime_type = bare_type(reported.get("mimeType", ""))
    if not re.fullmatch(WHOLE_NUMBER, size):
        raise BadRequest("size must be a whole number.")
    if not etag:
        raise BadRequest("etag must be 1 to 64 letters, digits and hyphens.")
    if not mime_type:
        raise BadRequest("mimeType must look like image/jpeg.")
    if not ticket.admits_file(int(size), mime_type):
        raise invalid_ticket(f"the form admitted no {size} bytes of {mime_type}")
    return VerifiedUpload(
        key=published_name(key),
        size_bytes=int(size),
        etag=etag,
        mime_type=mime_type,
        width=_pixels(reported.get("width", "")),
        height=_pixels(reported.get("height", "")),
        ticket=ticket,
        is_seen=False,
        is_held=is_held_name(key),
        stored_at=ticket.issued_at,
        ai_label=declared_in(ticket),
    )


def _pixels(text: str) -> int | None:
    return int(text) if re.fullmatch(WHOLE_NUMBER, text) else None
