"""
The warm function: an event's bytes in, the response out, its log line written; and its signing call alone.
"""

import logging
import os
from datetime import UTC, datetime, timedelta

from requests_of_clients import CONTEXT, business_token, event, session_token
from task import (
    BUCKET,
    CONTENT_TYPE,
    EXPIRES_SECONDS,
    JWT_KEY,
    REGION,
    ROLE_KEY_ID,
    ROLE_SECRET,
    ROLE_TOKEN,
    SIZE_BYTES,
)
from timing import serve

import handler
from post_policy import UploadRule, sign_object
from sts_credentials import StsCredentials

CALLERS = {
    "anonymous": ({"CALLER_AUTH": "anonymous"}, lambda: ""),
    "jwt": (
        {"CALLER_AUTH": "jwt", "JWT_KEY": JWT_KEY, "JWT_ALGORITHM": "HS256"},
        lambda: business_token("user-0000001"),
    ),
    "wechat": (
        {"CALLER_AUTH": "wechat", "WECHAT_APPID": "wx0123456789abcdef", "WECHAT_SECRET": "bench"},
        lambda: session_token("oBench0000000000000000000001"),
    ),
}


def request(caller: str, files: int):
    settings, token = CALLERS[caller]
    function = handler.Function(handler.Surroundings({**os.environ, **settings}))
    asked = event(files, token=token())
    answer = handler.serve(function, asked, CONTEXT)
    if answer["statusCode"] != 200:
        raise SystemExit(answer["body"])
    return lambda: handler.serve(function, asked, CONTEXT)


def signing_call():
    now = datetime.now(UTC).replace(microsecond=0)
    credentials = StsCredentials(ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN, now + timedelta(hours=1))
    fields = {
        "success_action_status": "200",
        "x-oss-content-type": CONTENT_TYPE,
        "x-oss-forbid-overwrite": "true",
        "x-oss-object-acl": "default",
    }

    def sign():
        rule = UploadRule(
            bucket=BUCKET,
            region=REGION,
            signature_version="v4",
            key="uploads/public/2026/11/24/photo.jpg",
            min_size_bytes=SIZE_BYTES,
            max_size_bytes=SIZE_BYTES,
            expires_at=now + timedelta(seconds=EXPIRES_SECONDS),
            fields=fields,
        )
        return sign_object(rule, credentials, now)

    return sign


# The runtime writes log lines to a stream of its own; the cost of making them is ours.
logging.getLogger().addHandler(logging.FileHandler(os.devnull))
calls = {f"{caller}, {files}": request(caller, files) for caller in CALLERS for files in (1, 9)}
serve({**calls, "signature": signing_call()})
