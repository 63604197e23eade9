"""x-oss-process over HTTP: who may ask for what, what comes back, and a picture made anew and stored."""

import base64
import hashlib
import io
import json
import subprocess
import sys
from urllib.parse import quote

import pytest
from PIL import Image

from local.oss.process import LARGEST_SOURCE_BYTES
from local.oss.request import Request
from local.oss.request_signature import canonical_request
from tests.local.oss.conftest import NOT_PERMITTED, OSS_NOW, UNSIGNED, allowing, content_md5, hex_md5
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

KEY, TARGET = "u/42/照片 +1.jpg", "u/42/清.jpg"
SMALL, CLEAN = "image/resize,m_fill,w_20,h_20/format,jpg", "image/auto-orient,1/format,jpg/quality,q_90"


@pytest.fixture
def photo(oss, oss_client):
    """A picture that lies on its side, taken in the north."""
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    Image.new("RGB", (60, 40), "#FF0000").save(file, "JPEG", exif=exif)
    headers = {"Content-Type": "image/jpeg", "Cache-Control": "max-age=60", "x-oss-meta-a": "1"}
    assert oss_client.call("PUT", KEY, file.getvalue(), headers=headers).status == 200
    return file.getvalue()


@pytest.fixture
def process(oss_client):
    def process(text, name=KEY, key="account", **query):
        url = oss_client.presigned("GET", name, key, **{"x-oss-process": text}, **query)
        return oss_client.request("GET", url)

    return process


def test_a_signed_url_gives_the_thumbnail_with_the_headers_of_its_picture(oss_client, rules, photo, process):
    headers = {"Content-Disposition": "inline", "Expires": "0", "Cache-Control": "no-store"}
    oss_client.call("PUT", KEY, photo, headers={**headers, "Content-Encoding": "x", "x-oss-meta-a": "1"})
    answer = process(SMALL)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.headers["Content-Length"] == str(len(answer.body))
    assert Image.open(io.BytesIO(answer.body)).size == (20, 20)
    dropped = dict.fromkeys(("Content-Encoding", "x-oss-meta-a"))
    expected = headers | dropped | {"Last-Modified": "Tue, 24 Nov 2026 14:00:00 GMT"}
    assert {name: answer.headers[name] for name in expected} == expected
    rules(default_host_downloads=True)
    answer = process(SMALL).headers
    assert (answer["x-oss-force-download"], answer["Content-Disposition"]) == ("true", "attachment")


def test_the_processing_parameter_is_signed_and_the_picture_private(photo, oss_client, rules, process):
    plain = oss_client.presigned("GET", KEY)
    signed = oss_client.presigned("GET", KEY, **{"x-oss-process": SMALL})
    for url in (
        f"{plain}&x-oss-process={SMALL}",
        signed.replace("w_20", "w_21"),
        signed.replace("x-oss-process", "x-oss-proces"),
    ):
        assert oss_client.request("GET", url).said.startswith("403 SignatureDoesNotMatch")
    unsigned = f"{oss_client.path(KEY)}?x-oss-process={SMALL}"
    assert oss_client.request("GET", unsigned).said == UNSIGNED
    assert process(SMALL, key="sts").said == NOT_PERMITTED
    rules(block_public_access=False)
    oss_client.call("PUT", KEY, headers={"x-oss-object-acl": "public-read"}, acl=None)
    answer = oss_client.request("GET", unsigned)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/jpeg")


def test_a_picture_describes_itself(photo, process):
    answer = process("image/info")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(answer.body)["FileSize"] == {"value": str(len(photo))}


@cases("text", "refusal")
def test_each_wrong_processing_has_its_refusal(text, refusal, photo, process):
    assert process(text).said.startswith(refusal)


def test_the_frame_of_a_video_is_grey_or_refused(oss_client, rules, process):
    oss_client.call("PUT", "u/clip.mp4", b"video", headers={"Content-Type": "video/mp4"})
    answer = process("video/snapshot,t_1000,w_32", "u/clip.mp4")
    assert Image.open(io.BytesIO(answer.body)).size == (32, 18)
    rules(video_frames_are_grey=False)
    assert process("video/snapshot,t_1000", "u/clip.mp4").said.startswith("501 NotImplemented")
    assert process("doc/preview", "u/clip.mp4").said.startswith("400 InvalidArgument")


def test_headers_are_replaced_and_conditions_held_as_for_the_whole(photo, oss, oss_client, process):
    named = {"response-content-disposition": "attachment"}
    assert process(SMALL, **named).headers["Content-Disposition"] == "attachment"
    url = oss_client.presigned("GET", KEY, **{"x-oss-process": SMALL})
    assert oss_client.request("GET", url, headers={"If-None-Match": oss.objects[KEY].etag}).status == 304


def test_the_local_oss_loads_no_picture_library_before_it_is_needed():
    script = [sys.executable, "-c", "import sys, local.oss.server; print('PIL' in sys.modules)"]
    assert subprocess.run(script, capture_output=True, text=True, check=True).stdout == "False\n"


def b64(text, strip=True):
    encoded = base64.urlsafe_b64encode(text.encode()).decode()
    return encoded.rstrip("=") if strip else encoded


def body_of(process=CLEAN, target=TARGET, bucket="examplebucket", **how):
    named = f",b_{b64(bucket, **how)}" if bucket else ""
    return f"x-oss-process={process}|sys/saveas,o_{b64(target, **how)}{named}".encode()


@pytest.fixture
def save(oss_client):
    def save(body=None, key="account", md5=None, **query):
        body = body_of() if body is None else body
        headers = {"Content-MD5": md5 or content_md5(body)}
        return oss_client.call("POST", KEY, body, key, headers, **(query or {"x-oss-process": None}))

    return save


def test_the_result_is_stored_as_another_object_or_instead_of_one(photo, oss, oss_client, save):
    oss_client.call("PUT", TARGET, b"older", headers={"x-oss-meta-b": "2"})
    answer = save()
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    stored = oss.objects[TARGET]
    told = {"bucket": "examplebucket", "fileSize": stored.size, "object": TARGET, "status": "OK"}
    assert json.loads(answer.body) == told
    about = (stored.content_type, stored.acl, stored.metadata, stored.headers, stored.modified)
    assert about == ("image/jpeg", "default", {}, {}, OSS_NOW)
    data = stored.path.read_bytes()
    assert stored.etag == hex_md5(data)
    assert Image.open(io.BytesIO(data)).size == (40, 60)
    assert oss.objects[KEY].path.read_bytes() == photo
    assert save(body_of(target=KEY)).status == 200
    assert oss.objects[KEY].etag == stored.etag


def test_a_body_may_be_encoded_as_that_of_a_form(photo, oss, save):
    name, _, value = body_of().decode().partition("=")
    assert save(f"{name}={quote(value, safe='')}".encode()).status == 200
    assert {*oss.objects} == {KEY, TARGET}


def test_padding_is_optional_and_the_bucket_the_sources_own(photo, oss, save):
    assert save(body_of("image/format,bmp", strip=False)).status == 200
    # A result may be larger than its source.
    assert oss.objects[TARGET].size > len(photo)
    assert oss.objects[TARGET].content_type == "image/bmp"
    answer = save(body_of(bucket="", target="u/42/b.jpg"))
    assert (json.loads(answer.body)["bucket"], "u/42/b.jpg" in oss.objects) == ("", True)


@cases("body", "refusal")
def test_each_wrong_body_has_its_refusal(body, refusal, photo, oss, save):
    assert save(body.encode()).said.startswith(refusal)
    assert set(oss.objects) == {KEY}


def test_processing_belongs_into_a_body_with_its_digest(photo, save):
    assert save(**{"x-oss-process": "image/format,jpg"}).said.startswith("400 InvalidArgument")
    assert save(md5=base64.b64encode(bytes(16)).decode()).said.startswith("400 InvalidDigest")


def test_a_missing_invalid_or_too_large_picture_is_neither_processed_nor_saved(oss_client, process, save):
    for content, refusal in (
        (None, "404 NoSuchKey"),
        (b"text", "400 BadRequest"),
        (bytes(LARGEST_SOURCE_BYTES), "400 BadRequest"),
        (bytes(LARGEST_SOURCE_BYTES + 1), "400 ImageTooLarge"),
    ):
        if content:
            oss_client.call("PUT", KEY, content)
        assert process(SMALL).said.startswith(refusal) and save().said.startswith(refusal)
    assert LARGEST_SOURCE_BYTES == 20 * 1024 * 1024


@pytest.mark.parametrize(
    ("rights", "said"),
    [
        ([("PostProcessTask", KEY), ("PutObject", TARGET)], "200"),
        ([("PostProcessTask", KEY)], NOT_PERMITTED),
        ([("PutObject", TARGET)], NOT_PERMITTED),
        ([("PostProcessTask", TARGET), ("PutObject", KEY)], NOT_PERMITTED),
        ([("GetObject", "*"), ("PutObject", "*")], NOT_PERMITTED),
    ],
)
def test_saving_needs_the_rights_to_process_and_to_store(rights, said, may, photo, oss, oss_client, save):
    statements = [
        statement
        for action, name in rights
        for statement in allowing(f"oss:{action}", resource=f"acs:oss:*:*:examplebucket/{name}")["Statement"]
    ]
    answer = save(key=may(policies=({"Version": "1", "Statement": statements},)))
    assert (answer.said, TARGET in oss.objects) == (said, said == "200")
    stranger = oss_client.request("POST", f"{oss_client.path(KEY)}?x-oss-process", body_of())
    assert stranger.said == UNSIGNED


def test_the_reference_vector_is_signed_as_here():
    """The canonical request that OSS's own SDK signs for such a call."""
    body = body_of(target="u/42/a.clean.jpg")
    assert body.endswith(b"|sys/saveas,o_dS80Mi9hLmNsZWFuLmpwZw,b_ZXhhbXBsZWJ1Y2tldA")
    headers = {
        "content-md5": content_md5(body),
        "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
        "x-oss-date": "20300102T030405Z",
        "x-oss-security-token": "CAISexampleToken/+==",
    }
    assert headers["content-md5"] == "jtohLrFQ2jVRgB91bVJBlA=="
    request = Request("POST", "u/42/a.jpg", {"x-oss-process": ""}, headers)
    digest = hashlib.sha256(canonical_request(request, "examplebucket", ()).encode()).hexdigest()
    assert digest == "6f0eadfd14c62efb4a5784421a77b27bed3c182e895c16da39184d14b69f4fed"
