"""x-oss-process over HTTP: who may ask for what, and what comes back."""

import io
import json
import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image

from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY, SMALL = "u/42/photo.png", "image/resize,m_fill,w_20,h_20/format,jpg"


@pytest.fixture
def photo(oss, oss_client):
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "#FF0000").save(file, "PNG")
    headers = {"Content-Type": "image/png", "Cache-Control": "max-age=60", "x-oss-meta-a": "1"}
    assert oss_client.call("PUT", KEY, file.getvalue(), headers=headers).status == 200
    return file.getvalue()


def process(oss_client, text, name=KEY, key="account", **query):
    return oss_client.request(
        "GET", oss_client.presigned("GET", name, key, **{"x-oss-process": text}, **query)
    )


def test_a_signed_url_gives_the_thumbnail(photo, oss_client):
    answer = process(oss_client, SMALL)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert answer.headers["Cache-Control"] == "max-age=60"
    assert answer.headers["x-oss-meta-a"] is None
    assert Image.open(io.BytesIO(answer.body)).size == (20, 20)


def test_a_thumbnail_keeps_the_headers_of_its_picture(oss, oss_client, photo):
    headers = {
        "Content-Disposition": "inline",
        "Expires": "0",
        "Content-Encoding": "x",
        "Cache-Control": "no-store",
    }
    oss_client.call("PUT", KEY, photo, headers=headers)
    answer = process(oss_client, SMALL).headers
    assert [answer[name] for name in headers] == ["inline", "0", None, "no-store"]
    assert answer["Last-Modified"] == "Tue, 24 Nov 2026 14:00:00 GMT"
    oss.bucket.rules = replace(oss.bucket.rules, default_host_downloads=True)
    answer = process(oss_client, SMALL).headers
    assert (answer["x-oss-force-download"], answer["Content-Disposition"]) == ("true", "attachment")


def test_the_processing_parameter_is_signed(photo, oss_client):
    plain = oss_client.presigned("GET", KEY, "account")
    signed = oss_client.presigned("GET", KEY, "account", **{"x-oss-process": SMALL})
    for url in (
        f"{plain}&x-oss-process={SMALL}",
        signed.replace("w_20", "w_21"),
        signed.replace("x-oss-process", "x-oss-proces"),
    ):
        assert oss_client.request("GET", url).refusal[:2] == (403, "SignatureDoesNotMatch")


def test_processing_a_private_picture_needs_a_signature(photo, oss_client):
    path = f"{oss_client.path(KEY)}?x-oss-process={SMALL}"
    assert oss_client.request("GET", path).refusal == (403, "AccessDenied", "0003-00000001")
    assert process(oss_client, SMALL, key="sts").refusal == (403, "AccessDenied", "0003-00000301")


def test_a_public_picture_is_processed_without_a_signature(photo, oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, block_public_access=False)
    oss_client.call("PUT", KEY, headers={"x-oss-object-acl": "public-read"}, acl=None)
    answer = oss_client.request("GET", f"{oss_client.path(KEY)}?x-oss-process={SMALL}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")


def test_a_picture_describes_itself(photo, oss_client):
    answer = process(oss_client, "image/info")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(answer.body)["FileSize"] == {"value": str(len(photo))}


@cases("text", "refusal")
def test_each_wrong_processing_has_its_refusal(text, refusal, photo, oss_client):
    assert process(oss_client, text).refusal[:2] == refusal


def test_processing_a_missing_or_invalid_picture_is_refused(oss, oss_client):
    assert process(oss_client, SMALL).refusal[:2] == (404, "NoSuchKey")
    oss_client.call("PUT", KEY, b"text")
    assert process(oss_client, SMALL).refusal[:2] == (400, "BadRequest")


def test_a_source_of_more_than_20_mb_is_refused(oss, oss_client):
    for size, code in ((20 * 1024 * 1024, "BadRequest"), (20 * 1024 * 1024 + 1, "ImageTooLarge")):
        oss_client.call("PUT", KEY, b"\0" * size)
        assert process(oss_client, SMALL).refusal[:2] == (400, code)


def test_the_frame_of_a_video_is_grey_or_refused(oss, oss_client):
    oss_client.call("PUT", "u/clip.mp4", b"video", headers={"Content-Type": "video/mp4"})
    answer = process(oss_client, "video/snapshot,t_1000,w_32", "u/clip.mp4")
    assert Image.open(io.BytesIO(answer.body)).size == (32, 18)
    oss.bucket.rules = replace(oss.bucket.rules, video_frames_are_grey=False)
    assert process(oss_client, "video/snapshot,t_1000", "u/clip.mp4").refusal[:2] == (501, "NotImplemented")
    assert process(oss_client, "doc/preview", "u/clip.mp4").refusal[:2] == (400, "InvalidArgument")


def test_headers_are_replaced_and_conditions_held_as_for_the_whole(photo, oss, oss_client):
    named = {"response-content-disposition": "attachment"}
    assert process(oss_client, SMALL, **named).headers["Content-Disposition"] == "attachment"
    headers = {"If-None-Match": oss.objects[KEY].etag}
    url = oss_client.presigned("GET", KEY, "account", **{"x-oss-process": SMALL})
    assert oss_client.request("GET", url, headers=headers).status == 304


def test_the_local_oss_loads_no_picture_library_before_it_is_needed():
    script = "import sys, local.oss.server; print('PIL' in sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=600
    )
    assert shown.stdout == "False\n"
