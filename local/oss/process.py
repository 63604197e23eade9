"""
``x-oss-process`` of GetObject: a picture made anew from the stored one while it is read.

Source: https://help.aliyun.com/zh/oss/user-guide/overview-17
"""

from email.utils import format_datetime
from typing import BinaryIO

from local.oss import errors
from local.oss.access import authorize_reading
from local.oss.answer import Answer
from local.oss.conditions import check_conditions
from local.oss.errors import OssError, invalid_argument
from local.oss.exchange import Call
from local.oss.image_steps import (
    IMAGE_STEPS,
    IMAGE_TOO_LARGE,
    NO_PICTURE,
    NO_SUCH_STYLE,
    VIDEO_STEPS,
    Step,
    read_steps,
)
from local.oss.reading import check_state, forced_download, get_object, open_for, replaced_headers
from local.oss.rules import OssRules
from local.oss.versions import StoredObject

PROCESS = "x-oss-process"
LARGEST_SOURCE_BYTES = 20 * 1024 * 1024
CARRIED_OVER = ("Cache-Control", "Content-Disposition", "Expires")


def read_object(call: Call) -> Answer:
    """GetObject, processed where the query asks for that."""
    return _processed(call) if call.request.query.get(PROCESS) else get_object(call)


def _processed(call: Call) -> Answer:
    request, bucket = call.request, call.bucket
    signer = authorize_reading(request, bucket)
    replaced = replaced_headers(request, bucket, is_signed=signer is not None)
    service, _, text = request.query[PROCESS].partition("/")
    stored, file = open_for(signer, request, bucket)
    with file:
        check_state(stored)
        check_conditions(request.headers, stored)
        if service == "style":
            raise OssError(NO_SUCH_STYLE)  # there is none, and no call that makes one
        if service == "image":
            content_type, data = picture(stored, file, read_steps(text, IMAGE_STEPS), bucket.rules)
        elif service == "video":
            if not bucket.rules.video_frames_are_grey:
                raise OssError(errors.NOT_IMPLEMENTED)
            content_type, data = _frame(stored, read_steps(text, VIDEO_STEPS))
        else:
            raise invalid_argument(
                "The processing is not supported.", errors.NO_PUBLIC_EC, PROCESS, request.query[PROCESS]
            )
    carried = {name: value for name, value in stored.headers.items() if name in CARRIED_OVER}
    modified = {"Last-Modified": format_datetime(stored.modified, usegmt=True)}
    headers = {"Content-Type": content_type, **modified, **carried, **replaced, **forced_download(call)}
    return Answer(headers=headers, body=data)


def picture(
    stored: StoredObject, file: BinaryIO, steps: tuple[Step, ...], rules: OssRules
) -> tuple[str, bytes]:
    """
    Return type and data of a picture that these steps made.

    Raises:
        OssError: it is no picture, or too large, or not to be processed so.
    """
    if stored.size > LARGEST_SOURCE_BYTES:
        raise OssError(IMAGE_TOO_LARGE)
    # Pillow is loaded by the first picture that is asked for.
    from local.oss.pictures import describe, render

    rendered = describe(file, stored.size) if steps[0].name == "info" else render(file, steps, rules)
    return rendered.content_type, rendered.data


def _frame(stored: StoredObject, steps: tuple[Step, ...]) -> tuple[str, bytes]:
    if not stored.content_type.startswith("video/"):
        raise OssError(NO_PICTURE)
    from local.oss.pictures import grey_frame

    rendered = grey_frame(steps[0])
    return rendered.content_type, rendered.data
