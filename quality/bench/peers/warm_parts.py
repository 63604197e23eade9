"""
URLs for 20 parts of a large file: ``/multipart-parts``, event in, response and log line out, where OSS
answers at once; and the signing of the 20 by itself.
"""

import os
from datetime import UTC, datetime, timedelta
from itertools import cycle

import task
from requests_of_clients import CONTEXT, post
from timing import serve

from function.app import Function, load_settings
from function.context import Dependencies
from function.credentials import StsCredentials
from function.http.client import HttpResponse
from function.multipart.part_urls import MAX_URLS, sign_parts
from function.request_log import to_standard_output
from function.uploads.tickets import MultipartTicket
from handler import serve as answer_event

# Each ticket is taken 120 times a minute at most.
TICKETS = 20_000
NOTHING_YET = b"<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>"

now = datetime.now(UTC).replace(microsecond=0)
settings = load_settings(os.environ)
function = Function(
    Dependencies(
        os.environ,
        send=lambda *_request, **_bounds: HttpResponse(200, NOTHING_YET),
        write_line=to_standard_output,
    )
)


def upload(number: int) -> MultipartTicket:
    cut = (f"{number:022}", task.OSS_UPLOAD_ID, task.LARGE_KEY, 100 * 2**20, 2**20, "video/mp4")
    end = now + settings.profiles["default"].parts_within
    return MultipartTicket(*cut, "default", "public", "public", None, None, now, end)


tickets = [upload(number).issue(settings) for number in range(TICKETS)]
asked = cycle([post("/multipart-parts", {"ticket": ticket}) for ticket in tickets])
credentials = StsCredentials(
    task.ROLE_KEY_ID, task.ROLE_SECRET, task.ROLE_TOKEN, expires_at=now + timedelta(hours=1)
)


def request():
    return answer_event(function, next(asked), CONTEXT)


def urls():
    return sign_parts(upload(1), range(1, MAX_URLS + 1), credentials, settings, now)


if request()["statusCode"] != 200 or len(urls()) != task.PARTS:
    raise SystemExit(request()["body"])
serve({"/multipart-parts": request, "20 URLs": urls})
