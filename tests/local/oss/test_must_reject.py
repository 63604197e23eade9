"""Requests that OSS must refuse although the signature was right for another one, sent over HTTP."""

import http.client
import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from local.common.accounts import AccessKey, Accounts
from local.common.clock import StandingClock
from local.oss.attributes import Attributes
from local.oss.credentials import sign_v4
from local.oss.request import read_request
from local.oss.request_signature import canonical_request, string_to_sign
from local.oss.server import OssServer

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "presigned_v4.json").read_text("utf-8"))
URLS = {vector["name"]: vector for vector in VECTORS["url"]}
UPLOAD = "0004B9895DBBB6EC98E36F29A1C0D3E5"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    given = {vector["credentials"]["access_key_id"]: vector["credentials"] for vector in URLS.values()}
    keys = [AccessKey(key, one["access_key_secret"], one.get("security_token")) for key, one in given.items()]
    clock = StandingClock(datetime.fromisoformat(URLS["get-plain"]["date_iso"]))
    server = OssServer(
        Accounts(*keys), "examplebucket", "cn-hangzhou", tmp_path_factory.mktemp("oss"), now=clock
    )
    yield server.start(), clock
    server.stop()


@pytest.fixture
def send(running):
    server, clock = running

    def ask(name, *, method=None, query=None, sign=False, body=b"", after=timedelta(0), **headers):
        """Send a vector's request with a change; ``sign`` signs what was changed."""
        vector = URLS[name]
        clock.instant = datetime.fromisoformat(vector["date_iso"]) + after
        sent = {"host": vector["host"], **vector["expected"]["headers_to_send"]}
        sent |= {header.replace("_", "-"): value for header, value in headers.items()}
        target = urlsplit(vector["expected"]["url"])._replace(scheme="", netloc="").geturl()
        target = query(target) if query else target
        if sign:
            target = resigned(vector, target, sent)
        connection = http.client.HTTPConnection(urlsplit(server.origin).netloc, timeout=60)
        connection.putrequest(method or vector["method"], target, skip_host=True, skip_accept_encoding=True)
        for header, value in sent.items():
            if value is not None:
                connection.putheader(header, value)
        connection.endheaders(body)
        response = connection.getresponse()
        read = response.read()
        connection.close()
        return response, read

    return ask


def resigned(vector, target, headers):
    present = {header: value for header, value in headers.items() if value is not None}
    request = read_request(vector["method"], target, present.items())
    date = request.query["x-oss-date"]
    additional = tuple(filter(None, request.query.get("x-oss-additional-headers", "").split(";")))
    text = string_to_sign(date, vector["region"], canonical_request(request, vector["bucket"], additional))
    secret = vector["credentials"]["access_key_secret"]
    return target.replace(request.query["x-oss-signature"], sign_v4(secret, date[:8], vector["region"], text))


def without(parameter):
    return lambda target: "&".join(part for part in target.split("&") if not part.startswith(parameter))


def with_expires(seconds):
    def change(target):
        parts = target.split("&")
        return "&".join(f"x-oss-expires={seconds}" if p.startswith("x-oss-expires=") else p for p in parts)

    return change


def appended(text):
    return lambda target: target + text


UNMEASURED = {"content_length": None, "transfer_encoding": "chunked", "body": b"5\r\nhello\r\n0\r\n\r\n"}
NOTHING_NAMED = "&x-oss-additional-headers="
WRONG = ("SignatureDoesNotMatch", "0002-00000040")
CASES = [
    ({"content_length": "5242881", "body": b"x" * 5242881}, 403, *WRONG),
    ({"content_length": "5", "body": b"jello"}, 400, "InvalidDigest", "0017-00000502"),
    ({"content_type": "application/json", "content_length": "344606", "body": b"x" * 344606}, 403, *WRONG),
    ({"content_type": "application/json", "content_length": "1", "body": b"x"}, 403, *WRONG),
    ({"query": appended("&x-oss-process=image/resize,w_1")}, 403, *WRONG),
    ({"method": "HEAD"}, 403, None, "0002-00000040"),
    ({"query": without("x-oss-security-token")}, 403, "InvalidAccessKeyId", "0002-00000003"),
    ({"after": timedelta(seconds=901)}, 403, "AccessDenied", "0002-00000236"),
    ({"after": timedelta(minutes=-15, seconds=-1)}, 403, "RequestTimeTooSkewed", "0000-00000000"),
    ({"query": with_expires(604801), "sign": True}, 400, "InvalidArgument", "0002-00000232"),
    ({"query": with_expires(43201), "sign": True}, 400, "InvalidArgument", "0002-00000232"),
    ({"host": "evil.example.com"}, 403, *WRONG),
    (UNMEASURED, 400, "InvalidArgument", "0002-00000078"),
    ({}, 400, "InvalidRequest", "0017-00000902"),
    ({"query": appended(NOTHING_NAMED), "sign": True}, 400, "InvalidArgument", "0002-00000076"),
]


@pytest.fixture
def begun(running):
    """Puts an upload that has begun in place of the one that a vector names."""
    server, clock = running
    attributes = Attributes("video/mp4", None, "Standard", forbid_overwrite=False)
    upload = server.bucket.uploads.begin("u/42/clip.mp4", attributes, clock.instant, is_sequential=False)
    yield lambda target: target.replace(UPLOAD, upload.id)
    assert upload.parts == {}
    server.bucket.uploads.end(upload)


@pytest.mark.parametrize("number", range(len(VECTORS["must_reject"])))
def test_must_reject_vectors_are_refused(number, send, running, begun):
    case = VECTORS["must_reject"][number]
    change, status, code, ec = CASES[number]
    if code == "InvalidDigest":  # which only a part of an upload that there is can have
        change = {**change, "query": begun, "sign": True}
    response, body = send(case["base"], **change)
    assert (response.status, response.headers["x-oss-ec"]) == (status, ec), body
    assert code is None or f"<Code>{code}</Code>".encode() in body
    assert case["status"] in ("[U]", status)
    assert code is None or case["code"] in ("[U]", code)
    assert len(running[0].objects) == 0


def test_the_requests_are_accepted_without_the_change(send, running):
    """What is refused above is refused for its change."""
    server, _ = running
    sized = URLS["put-object-typed-sts"]
    response, _ = send(sized["name"], content_length="344606", body=b"x" * 344606)
    assert response.status == 200
    assert send("get-plain")[0].status == send("get-plain-sts")[0].status == 200
    assert send("get-seven-days-last-second-of-day")[0].status == 200
    server.objects.delete(sized["key"])


@pytest.mark.parametrize(
    ("change", "status"), [({"after": timedelta(seconds=901)}, 400), ({"query": with_expires(604801)}, 403)]
)
def test_the_end_of_a_url_may_have_the_other_status(change, status, send, running):
    server, _ = running
    server.bucket.rules = replace(server.bucket.rules, expired_url_is_400=True)
    assert send("get-plain", **change)[0].status == status
    server.bucket.rules = replace(server.bucket.rules, expired_url_is_400=False)
