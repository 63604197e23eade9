"""
A confirmation, event in, response and log line out; and the one HeadObject in it by itself.
"""

import json
import os
import tempfile
from datetime import UTC, datetime, timedelta
from itertools import cycle

import task
from requests_of_clients import CONTEXT, event, post
from timing import serve

PROFILE = """
[default]
key = "uploads/{owner}/{yyyy}/{mm}/{dd}/{id}{ext}"
max_size = "10MiB"
content_types = ["image/*"]
confirm = true
"""
# Each is confirmed thirty times a minute at most; in life, mostly once.
REQUESTS_FOR_TICKETS, FILES_A_REQUEST = 150, 20

with tempfile.NamedTemporaryFile("w", suffix=".toml", delete=False) as file:
    file.write(PROFILE)
os.environ["PROFILES_FILE"] = file.name
os.environ["OSS_ENDPOINT"] = os.environ["STS_ENDPOINT"]

import handler  # noqa: E402 - it reads the environment when it is first asked
from function.credentials import StsCredentials  # noqa: E402
from function.http.client import send  # noqa: E402
from function.oss.client import OssClient, budget  # noqa: E402
from function.oss.objects import head_object  # noqa: E402


def answer(asked: bytes):
    answered = handler.handler(asked, CONTEXT)
    if answered["statusCode"] != 200:
        raise SystemExit(answered["body"])
    return json.loads(answered["body"])


forms = [form for _ in range(REQUESTS_FOR_TICKETS) for form in answer(event(FILES_A_REQUEST))["uploads"]]
confirmations = cycle([post("/confirm", {"ticket": form["ticket"]}) for form in forms])
keys = cycle([form["key"] for form in forms])
now = datetime.now(UTC).replace(microsecond=0)
credentials = StsCredentials(
    task.ROLE_KEY_ID, task.ROLE_SECRET, task.ROLE_TOKEN, expires_at=now + timedelta(hours=1)
)


def confirm():
    return handler.handler(next(confirmations), CONTEXT)


def head():
    endpoint = os.environ["OSS_ENDPOINT"]
    calls = OssClient(task.BUCKET, task.REGION, endpoint, credentials, now, send, budget())
    facts = head_object(calls, next(keys))
    assert facts
    return facts


if answer(next(confirmations))["state"] != "stored" or head().size_bytes != task.SIZE_BYTES:
    raise SystemExit("OSS's stand-in does not say what the form admitted")
serve({"/confirm": confirm, "HeadObject": head})
