"""
The floor once more, with the function's own tricks: one encoder for all, each instant written once, a policy
hashed without letting other threads in. What is left between the two is routes, checks, limits and errors.
"""

import hmac
import json
import os
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

from floor import HEADERS, signing_key
from task import BUCKET, EXPIRES_SECONDS, HOST, REGION, ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN

HASHED_AT_ONCE = 2047
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def answer_event(event: bytes, log: TextIO | None) -> dict[str, Any]:
    """An event's bytes become the response of an FC 3.0 HTTP trigger."""
    fields = json.loads(event)
    body = answer(json.loads(fields["body"]), fields["requestContext"]["requestId"], log)
    return {"statusCode": 200, "headers": dict(HEADERS), "isBase64Encoded": False, "body": body}


def answer(wanted: dict[str, Any], request_id: str, log: TextIO | None) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    if "files" in wanted:
        uploads = [sign(file, now) for file in wanted["files"]]
        result: Any = {"uploads": uploads, "serverTime": uploads[0]["serverTime"]}
    else:
        uploads = [sign(wanted, now)]
        result = uploads[0]
    if log:
        line = {
            "requestId": request_id,
            "route": "upload-params",
            "status": 200,
            "code": None,
            "ms": 0.25,
            "profile": "default",
            "owner": "public",
            "key": [upload["key"] for upload in uploads],
            "uploadId": [upload["uploadId"] for upload in uploads],
            "stsRefreshed": False,
        }
        log.write(_encode(line) + "\n")
        log.flush()
    return _encode(result)


def sign(
    wanted: dict[str, Any],
    now: datetime,
    upload_id: str = "",
    credentials: tuple[str, str, str] = (ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN),
) -> dict[str, Any]:
    """One file's part of the answer; ``credentials`` are id, secret and token."""
    key_id, secret, token = credentials
    upload_id = upload_id or urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
    start = now.isoformat()[:19]
    end = (now + timedelta(seconds=EXPIRES_SECONDS)).isoformat()[:19]
    stamp = start.replace("-", "").replace(":", "")
    date = stamp[:8]
    day = start[:10].replace("-", "/")
    key = f"uploads/public/{day}/{upload_id}.{wanted['filename'].rpartition('.')[2]}"
    form = {
        "key": key,
        "success_action_status": "200",
        "x-oss-content-type": wanted["contentType"],
        "x-oss-forbid-overwrite": "true",
        "x-oss-object-acl": "default",
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": f"{key_id}/{date}/{REGION}/oss/aliyun_v4_request",
        "x-oss-date": f"{stamp}Z",
        "x-oss-security-token": token,
    }
    size = wanted["size"]
    conditions: list[Any] = [{"bucket": BUCKET}, ["content-length-range", size, size]]
    conditions += [{name: value} for name, value in form.items()]
    policy = b64encode(_encode({"expiration": f"{end}.000Z", "conditions": conditions}).encode())
    mac = hmac.new(signing_key(secret, date), digestmod="sha256")
    for first in range(0, len(policy), HASHED_AT_ONCE):
        mac.update(policy[first : first + HASHED_AT_ONCE])
    form["policy"] = policy.decode()
    form["x-oss-signature"] = mac.hexdigest()
    return {
        "url": HOST,
        "key": key,
        "fileUrl": f"{HOST}/{key}",
        "formData": form,
        "maxSize": size,
        "expiresAt": f"{end}Z",
        "serverTime": f"{start}Z",
        "uploadId": upload_id,
    }
