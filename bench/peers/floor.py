"""
The floor: the hashes, JSON and base64 of one answer plainly written inline, without a single check.

It answers as the function does, and writes the same log line.
"""

import hmac
import json
import os
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

from task import BUCKET, EXPIRES_SECONDS, HOST, REGION, ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN

COMPACT = (",", ":")
HEADERS = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
_signing_keys: dict[str, bytes] = {}


def answer_event(event: bytes, log: TextIO | None) -> dict[str, Any]:
    """An event's bytes become the response of an FC 3.0 HTTP trigger."""
    fields = json.loads(event)
    body = answer(json.loads(fields["body"]), fields["requestContext"]["requestId"], log)
    return {"statusCode": 200, "headers": dict(HEADERS), "isBase64Encoded": False, "body": body}


def answer(wanted: dict[str, Any], request_id: str, log: TextIO | None) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    if "files" in wanted:
        uploads = [sign(file, now) for file in wanted["files"]]
        result: Any = {"uploads": uploads, "serverTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
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
        log.write(json.dumps(line, ensure_ascii=False, separators=COMPACT) + "\n")
        log.flush()
    return json.dumps(result, ensure_ascii=False, separators=COMPACT)


def sign(
    wanted: dict[str, Any],
    now: datetime,
    upload_id: str = "",
    credentials: tuple[str, str, str] = (ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN),
) -> dict[str, Any]:
    """One file's part of the answer; ``credentials`` are id, secret and token."""
    key_id, secret, token = credentials
    upload_id = upload_id or urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")
    key = f"uploads/public/{now:%Y/%m/%d}/{upload_id}.{wanted['filename'].rpartition('.')[2]}"
    date = now.strftime("%Y%m%d")
    expires_at = now + timedelta(seconds=EXPIRES_SECONDS)
    form = {
        "key": key,
        "success_action_status": "200",
        "x-oss-content-type": wanted["contentType"],
        "x-oss-forbid-overwrite": "true",
        "x-oss-object-acl": "default",
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": f"{key_id}/{date}/{REGION}/oss/aliyun_v4_request",
        "x-oss-date": now.strftime("%Y%m%dT%H%M%SZ"),
        "x-oss-security-token": token,
    }
    size = wanted["size"]
    conditions: list[Any] = [{"bucket": BUCKET}, ["content-length-range", size, size]]
    conditions += [{name: value} for name, value in form.items()]
    document = {"expiration": expires_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "conditions": conditions}
    policy = b64encode(json.dumps(document, ensure_ascii=False, separators=COMPACT).encode()).decode()
    form["policy"] = policy
    form["x-oss-signature"] = hmac.digest(signing_key(secret, date), policy.encode(), "sha256").hex()
    return {
        "url": HOST,
        "key": key,
        "fileUrl": f"{HOST}/{key}",
        "formData": form,
        "maxSize": size,
        "expiresAt": expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "serverTime": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "uploadId": upload_id,
    }


def signing_key(secret: str, date: str) -> bytes:
    key = _signing_keys.get(secret + date)
    if key is None:
        key = f"aliyun_v4{secret}".encode()
        for part in (date, REGION, "oss", "aliyun_v4_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        _signing_keys[secret + date] = key
    return key
