"""The function's signing calls alone: a form, and a URL."""

from datetime import UTC, datetime, timedelta

import task
from timing import serve

from function.credentials import StsCredentials
from function.oss.post_form import UploadRule, prepare, sign_object
from function.oss.presign import OssRequest, presign

now = datetime.now(UTC).replace(microsecond=0)
credentials = StsCredentials(
    task.ROLE_KEY_ID, task.ROLE_SECRET, task.ROLE_TOKEN, expires_at=now + timedelta(hours=1)
)
form = prepare(
    {
        "success_action_status": "200",
        "x-oss-content-type": task.CONTENT_TYPE,
        "x-oss-forbid-overwrite": "true",
        "Content-Disposition": "inline",
        "x-oss-object-acl": "default",
        "x-oss-storage-class": "Standard",
    }
)


def sign():
    rule = UploadRule(
        bucket=task.BUCKET,
        region=task.REGION,
        signature_version="v4",
        key="uploads/public/2026/11/24/photo.jpg",
        min_size_bytes=task.SIZE_BYTES,
        max_size_bytes=task.SIZE_BYTES,
        expires_at=now + timedelta(seconds=task.EXPIRES_SECONDS),
        form=form,
    )
    return sign_object(rule, credentials, now)


def presigned():
    request = OssRequest("GET", task.BUCKET, task.REGION, task.STORED_KEY, {"x-oss-process": task.PROCESS})
    life = timedelta(seconds=2 * task.READ_FOR_SECONDS)
    return presign(request, credentials, now, origin=task.HOST, expires_in=life)


serve({"signature": sign, "presigned": presigned})
