"""
The floor of ``/read``: the hashes, percent-encoding and JSON of one answer written inline, without a check.

It answers as the function does, and writes the same log line.
"""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO
from urllib.parse import quote

from floor import HEADERS, ROLE, encode, signing_key
from task import BUCKET, HOST, PROCESS, READ_FOR_SECONDS, REGION

SAFE = "/-._~"


def presigned(key: str, variant: str | None, start: datetime) -> str:
    """The URL as of the start of a window."""
    key_id, secret, token = ROLE
    stamp = start.strftime("%Y%m%dT%H%M%SZ")
    scope = f"{stamp[:8]}/{REGION}/oss/aliyun_v4_request"
    credential = quote(f"{key_id}/{scope}", safe="")
    process = f"&x-oss-process={quote(PROCESS, safe='')}" if variant else ""
    query = (
        f"x-oss-credential={credential}&x-oss-date={stamp}&x-oss-expires={2 * READ_FOR_SECONDS}{process}"
        f"&x-oss-security-token={quote(token, safe='')}&x-oss-signature-version=OSS4-HMAC-SHA256"
    )
    path = quote(key, safe=SAFE)
    canonical = f"GET\n/{BUCKET}/{path}\n{query}\n\n\nUNSIGNED-PAYLOAD"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"OSS4-HMAC-SHA256\n{stamp}\n{scope}\n{digest}"
    signature = hmac.digest(signing_key(secret, stamp[:8]), to_sign.encode(), "sha256").hex()
    return f"{HOST}/{path}?{query}&x-oss-signature={signature}"


def answer(wanted: dict[str, Any], request_id: str, log: TextIO) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    start = now - timedelta(seconds=int(now.timestamp()) % READ_FOR_SECONDS)
    end = (start + timedelta(seconds=2 * READ_FOR_SECONDS)).strftime("%Y-%m-%dT%H:%M:%SZ")
    items = wanted.get("items") or [wanted]
    urls = [
        {
            "key": item["key"],
            "variant": item.get("variant"),
            "url": presigned(item["key"], item.get("variant"), start),
            "expiresAt": end,
        }
        for item in items
    ]
    keys, profiles = [item["key"] for item in items], ["default"] * len(items)
    line = {
        "requestId": request_id,
        "route": "read",
        "status": 200,
        "code": None,
        "ms": 0.25,
        "profile": profiles if "items" in wanted else profiles[0],
        "owner": "public",
        "key": keys if "items" in wanted else keys[0],
        "uploadId": None,
        "stsRefreshed": False,
    }
    log.write(encode(line) + "\n")
    log.flush()
    server_time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    if "items" in wanted:
        return encode({"items": urls, "serverTime": server_time})
    return encode({"url": urls[0]["url"], "expiresAt": end, "serverTime": server_time})


def answer_event(event: bytes, log: TextIO) -> dict[str, Any]:
    """An event's bytes become the response of an FC 3.0 HTTP trigger."""
    fields = json.loads(event)
    body = answer(json.loads(fields["body"]), fields["requestContext"]["requestId"], log)
    return {"statusCode": 200, "headers": dict(HEADERS), "isBase64Encoded": False, "body": body}
