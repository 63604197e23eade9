"""Who may ask about an upload in parts, and for what: the ticket is enough, no session is needed."""

from collections.abc import Mapping
from typing import Any

from function.config.key_template import published_name
from function.config.settings import Settings
from function.config.types import Rate
from function.context import RequestContext
from function.errors import BadRequest, NotFound
from function.http.json_body import read_json_object
from function.limits.rate_limit import RateLimitItem
from function.multipart.ticket import read_ticket
from function.multipart.upload import MultipartUpload
from function.multipart.urls import MAX_URLS

# A file of ten thousand parts needs 500 calls for its URLs, and is not sent in four minutes.
CALLS_PER_TICKET = Rate(120, 60)


def refuse_without_parts(settings: Settings) -> None:
    """
    Raises:
        NotFound: no profile has parts.
    """
    if not any(profile.parts for profile in settings.profiles.values()):
        raise NotFound("There are no uploads in parts here.")


def admit(context: RequestContext) -> MultipartUpload:
    """
    The upload that a request is about.

    Raises:
        NotFound, BadRequest, Forbidden, TooManyRequests
    """
    upload, _ = _read(context)
    _count(context, upload)
    return upload


def admit_with_numbers(context: RequestContext) -> tuple[MultipartUpload, list[int] | None]:
    """
    The upload that a request is about, and the parts that URLs are wanted for; ``None`` leaves those to us.

    Raises:
        NotFound, BadRequest, Forbidden, TooManyRequests
    """
    upload, fields = _read(context)
    # What is malformed costs the ticket nothing.
    numbers = _numbers(fields.get("numbers"), upload)
    _count(context, upload)
    return upload, numbers


def _read(context: RequestContext) -> tuple[MultipartUpload, Mapping[str, Any]]:
    refuse_without_parts(context.settings)
    fields = read_json_object(context.request.body)
    upload = read_ticket(fields, context.settings, context.now)
    line = context.line
    line.profile, line.owner = upload.claims["profile"], upload.claims["owner"]
    line.key, line.upload_id = published_name(upload.key), upload.upload_id
    return upload, fields


def _count(context: RequestContext, upload: MultipartUpload) -> None:
    context.instance.limiter.hit([RateLimitItem("parts", CALLS_PER_TICKET, upload.upload_id)], context.now)


def _numbers(numbers: Any, upload: MultipartUpload) -> list[int] | None:
    if numbers is None:
        return None
    if (
        isinstance(numbers, list)
        and 1 <= len(numbers) <= MAX_URLS
        and all(type(number) is int and 1 <= number <= upload.part_count for number in numbers)
        and len(set(numbers)) == len(numbers)
    ):
        return numbers
    raise BadRequest(
        f"numbers must be a list of 1 to {MAX_URLS} numbers from 1 to {upload.part_count}, each once."
    )
