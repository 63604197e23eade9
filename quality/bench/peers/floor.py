"""
The floor: the hashes, JSON and base64 of one answer plainly written inline, without a single check.

It answers as the function does, and writes the same log line. As whatever contestants share, it imports
nothing for annotations alone: ``typing`` is loaded by who needs it.
"""

import hmac
import json
import os
from base64 import b64encode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta
from io import TextIOBase

from task import BUCKET, EXPIRES_SECONDS, HOST, REGION, ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN

COMPACT = (",", ":")
HEADERS = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store"}
Credentials = tuple[str, str, str]  # id, secret and token
Fields = dict[str, object]
ROLE: Credentials = (ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN)
_signing_keys: dict[str, bytes] = {}


def encode(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=COMPACT)


def sign(wanted: Fields, now: datetime, upload_id: str = "", credentials: Credentials = ROLE) -> object:
    """One file's part of the answer."""
    key_id, secret, token = credentials
    upload_id = upload_id or new_id()
    key = f"uploads/public/{now:%Y/%m/%d}/{upload_id}.{wanted['filename'].rpartition('.')[2]}"
    date = now.strftime("%Y%m%d")
    expires_at = now + timedelta(seconds=EXPIRES_SECONDS)
    form = form_of(key, wanted, key_id, now.strftime("%Y%m%dT%H%M%SZ"), token)
    document = document_of(form, wanted["size"], expires_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"))
    policy = b64encode(encode(document).encode()).decode()
    form["policy"] = policy
    form["x-oss-signature"] = hmac.digest(signing_key(secret, date), policy.encode(), "sha256").hex()
    end, start = expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"), now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return upload_of(form, wanted["size"], end, start, upload_id)


def new_id() -> str:
    return urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")


def form_of(key: str, wanted: Fields, key_id: str, stamp: str, token: str) -> dict[str, str]:
    """The fields that the policy pins."""
    return {
        "key": key,
        "success_action_status": "200",
        "x-oss-content-type": wanted["contentType"],
        "x-oss-forbid-overwrite": "true",
        "Content-Disposition": "inline",
        "x-oss-object-acl": "default",
        "x-oss-storage-class": "Standard",
        "x-oss-signature-version": "OSS4-HMAC-SHA256",
        "x-oss-credential": f"{key_id}/{stamp[:8]}/{REGION}/oss/aliyun_v4_request",
        "x-oss-date": stamp,
        "x-oss-security-token": token,
    }


def document_of(form: dict[str, str], size: int, expiration: str) -> Fields:
    """The policy before it is encoded."""
    conditions: list[object] = [{"bucket": BUCKET}, ["content-length-range", size, size]]
    conditions += [{name: value} for name, value in form.items()]
    return {"expiration": expiration, "conditions": conditions}


def upload_of(form: dict[str, str], size: int, expires_at: str, now: str, upload_id: str) -> Fields:
    return {
        "url": HOST,
        "key": form["key"],
        "fileUrl": f"{HOST}/{form['key']}",
        "formData": form,
        "maxSize": size,
        "expiresAt": expires_at,
        "serverTime": now,
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


def answer(wanted: Fields, request_id: str, log: TextIOBase) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    upload = sign(wanted, now)
    line = {
        "requestId": request_id,
        "route": "upload-params",
        "status": 200,
        "code": None,
        "ms": 0.25,
        "profile": "default",
        "owner": "public",
        "key": upload["key"],
        "uploadId": upload["uploadId"],
        "stsRefreshed": False,
    }
    log.write(encode(line) + "\n")
    log.flush()
    return encode(upload)


def answer_event(event: bytes, log: TextIOBase) -> Fields:
    """An event's bytes become the response of an FC 3.0 HTTP trigger."""
    fields = json.loads(event)
    body = answer(json.loads(fields["body"]), fields["requestContext"]["requestId"], log)
    return {"statusCode": 200, "headers": dict(HEADERS), "isBase64Encoded": False, "body": body}
