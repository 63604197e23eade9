"""
PostProcessTask: a picture made anew and stored as another object (``sys/saveas``).

Sources: https://help.aliyun.com/zh/oss/user-guide/sys-or-saveas,
https://help.aliyun.com/zh/oss/user-guide/overview-17
"""

import base64
import binascii
import hashlib
import json
from pathlib import Path
from urllib.parse import unquote

from local.oss import errors
from local.oss.access import PROCESS_TASK, WRITE, authorize, demand
from local.oss.answer import Answer
from local.oss.attributes import Attributes
from local.oss.bucket import Bucket
from local.oss.errors import OssError, Refusal, invalid_argument
from local.oss.exchange import Call
from local.oss.image_steps import IMAGE_STEPS, read_steps
from local.oss.process import PROCESS, picture
from local.oss.reading import check_state, open_for
from local.oss.storing import new_object, read_body

SAVE_AS = "sys/saveas"
# Code and text of the second are OSS's own, the others' texts ours.
NO_PROCESS = Refusal(400, "MissingArgument", "The body names no processing.")
NO_BASE64 = Refusal(400, "BadRequest", "Input is not base64 decoding.")


def save_processed(call: Call) -> Answer:
    """
    Process a picture and store the result, over what was there.

    The result has the bucket's ACL, and none of the picture's own headers and metadata: no page says that
    these are copied.
    """
    request, bucket = call.request, call.bucket
    signer = authorize(request, bucket, PROCESS_TASK)
    if request.query[PROCESS]:
        raise invalid_argument(
            "It belongs into the body.", errors.NO_PUBLIC_EC, PROCESS, request.query[PROCESS]
        )
    processing, key, bucket_name = _read(read_body(call))
    if bucket_name not in ("", bucket.name):
        # It has to be in the same region and of the same account; here there is no other that is.
        raise invalid_argument("Not in this region.", errors.NO_PUBLIC_EC, "bucket", bucket_name)
    demand(signer, bucket, key, WRITE)
    service, _, text = processing.partition("/")
    if service != "image":
        raise OssError(errors.NOT_IMPLEMENTED)
    steps = read_steps(text, IMAGE_STEPS)
    if steps[0].name == "info":
        raise invalid_argument("It makes no picture.", errors.NO_PUBLIC_EC, PROCESS, processing)
    source, file = open_for(signer, request, bucket)
    with file:
        check_state(source)
        content_type, data = picture(source, file, steps, bucket.rules)
    _store(bucket, key, content_type, data)
    told = {"bucket": bucket_name, "fileSize": len(data), "object": key, "status": "OK"}
    return Answer(headers={"Content-Type": "application/json"}, body=json.dumps(told).encode())


def _read(body: bytes) -> tuple[str, str, str]:
    """
    The processing, and the key and bucket where its result goes; the bucket is empty for the source's.

    The page's samples write it as it is, ali-oss percent-encodes it as a form does.
    """
    name, _, text = body.decode("utf-8", "replace").partition("=")
    value = unquote(text)
    processing, _, target = value.partition("|")
    if name != PROCESS or not processing:
        raise OssError(NO_PROCESS)
    save_as, *given = target.split(",")
    named = dict(part.partition("_")[::2] for part in given)
    if save_as != SAVE_AS or not set(named) <= {"o", "b"} or len(named) < len(given) or not named.get("o"):
        raise invalid_argument("It names no place to save to.", errors.NO_PUBLIC_EC, PROCESS, value)
    return processing, _decoded(named["o"]), _decoded(named.get("b", ""))


def _decoded(text: str) -> str:
    """Of URL-safe base64, whose padding may be missing."""
    padded = text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise OssError(NO_BASE64) from None


def _store(bucket: Bucket, key: str, content_type: str, data: bytes) -> None:
    if not key or len(key.encode()) > bucket.rules.max_key_bytes or key[0] in "/\\":
        raise OssError(errors.INVALID_KEY)
    attributes = Attributes(content_type, None, "Standard", False)
    etag = hashlib.md5(data, usedforsecurity=False).hexdigest().upper()
    with bucket.objects.new_file() as file:
        file.write(data)
    try:
        bucket.store(Path(file.name), new_object(bucket, key, attributes, len(data), etag), False)
    finally:
        Path(file.name).unlink(missing_ok=True)
