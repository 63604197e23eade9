"""PostProcessTask over HTTP: a picture made anew and stored, and each refusal."""

import base64
import hashlib
import io
import json
from dataclasses import replace

import pytest
from PIL import Image

from local.common.accounts import AccessKey
from local.oss.process import LARGEST_SOURCE_BYTES
from tests.local.oss.conftest import OSS_BUCKET, OSS_KEYS, OSS_NOW

SOURCE, TARGET = "u/42/照片 +1.jpg", "u/42/清.jpg"
CLEAN = "image/auto-orient,1/format,jpg/quality,q_90"


def b64(text, strip=True):
    encoded = base64.urlsafe_b64encode(text.encode()).decode()
    return encoded.rstrip("=") if strip else encoded


def body_of(process=CLEAN, target=TARGET, bucket=OSS_BUCKET, **how):
    named = f",b_{b64(bucket, **how)}" if bucket else ""
    return f"x-oss-process={process}|sys/saveas,o_{b64(target, **how)}{named}".encode()


def post(oss_client, body=None, name=SOURCE, key="account", **query):
    body = body_of() if body is None else body
    headers = {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}
    return oss_client.call("POST", name, body, key, headers, **(query or {"x-oss-process": None}))


@pytest.fixture
def photo(oss, oss_client):
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "#FF0000").save(file, "JPEG", exif=exif)
    headers = {"Content-Type": "image/jpeg", "Cache-Control": "max-age=60", "x-oss-meta-a": "1"}
    assert oss_client.call("PUT", SOURCE, file.getvalue(), headers=headers).status == 200
    return file.getvalue()


@pytest.fixture
def may(oss, monkeypatch):
    """Let the key ``sts`` do this: actions, each with the name it is about."""

    def allow(*rights):
        statements = [
            {"Effect": "Allow", "Action": [f"oss:{action}"], "Resource": [f"acs:oss:*:*:{OSS_BUCKET}/{name}"]}
            for action, name in rights
        ]
        policy = {"Version": "1", "Statement": statements}
        key = AccessKey("STS.NTMay", "TempSecret3", "CAISmay/+==", OSS_KEYS["sts"].expires_at, (policy,))
        oss.bucket.accounts.add(key)
        monkeypatch.setitem(OSS_KEYS, "may", key)

    return allow


def test_the_result_is_stored_as_another_object(photo, oss, oss_client):
    answer = post(oss_client)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    stored = oss.objects[TARGET]
    told = {"bucket": OSS_BUCKET, "fileSize": stored.size, "object": TARGET, "status": "OK"}
    assert json.loads(answer.body) == told
    assert (stored.content_type, stored.acl, stored.metadata, stored.headers) == (
        "image/jpeg",
        "default",
        {},
        {},
    )
    assert stored.modified == OSS_NOW
    data = stored.path.read_bytes()
    assert stored.etag == hashlib.md5(data).hexdigest().upper()
    assert Image.open(io.BytesIO(data)).size == (40, 60)
    assert oss.objects[SOURCE].path.read_bytes() == photo


@pytest.mark.parametrize("keeps", [True, False])
def test_the_place_stays_unless_the_rule_says_otherwise(keeps, photo, oss, oss_client):
    oss.bucket.rules = replace(oss.bucket.rules, variants_keep_exif=keeps)
    assert post(oss_client).status == 200
    exif = Image.open(io.BytesIO(oss.objects[TARGET].path.read_bytes())).getexif()
    assert (exif.get_ifd(0x8825).get(1), exif.get(0x0112)) == ("N" if keeps else None, None)


def test_padding_is_optional_and_the_bucket_the_sources_own(photo, oss, oss_client):
    assert post(oss_client, body_of(strip=False)).status == 200
    answer = post(oss_client, body_of(bucket="", target="u/42/b.jpg"))
    assert (json.loads(answer.body)["bucket"], "u/42/b.jpg" in oss.objects) == ("", True)


def test_an_object_is_overwritten_and_a_picture_may_replace_itself(photo, oss, oss_client):
    oss_client.call("PUT", TARGET, b"older", headers={"x-oss-meta-b": "2"})
    assert post(oss_client).status == 200
    assert oss.objects[TARGET].metadata == {}
    assert post(oss_client, body_of(target=SOURCE)).status == 200
    assert oss.objects[SOURCE].etag == oss.objects[TARGET].etag


def test_a_result_may_be_larger_than_its_source(photo, oss, oss_client):
    assert post(oss_client, body_of("image/format,bmp")).status == 200
    assert oss.objects[TARGET].size > len(photo)
    assert oss.objects[TARGET].content_type == "image/bmp"


def test_saving_with_get_is_refused(photo, oss, oss_client):
    text = f"{CLEAN}|sys/saveas,o_{b64(TARGET)}"
    url = oss_client.presigned("GET", SOURCE, "account", **{"x-oss-process": text})
    assert oss_client.request("GET", url).refusal[:2] == (400, "InvalidArgument")
    assert TARGET not in oss.objects


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", (400, "MissingArgument")),
        (b"x-oss-process=", (400, "MissingArgument")),
        (b"process=image/format,jpg|sys/saveas,o_YQ", (400, "MissingArgument")),
        (f"x-oss-process={CLEAN}".encode(), (400, "InvalidArgument")),
        (f"x-oss-process={CLEAN}|sys/saveas".encode(), (400, "InvalidArgument")),
        (f"x-oss-process={CLEAN}|sys/saveas,b_YQ".encode(), (400, "InvalidArgument")),
        (f"x-oss-process={CLEAN}|sys/saveas,o_YQ,o_YQ".encode(), (400, "InvalidArgument")),
        (f"x-oss-process={CLEAN}|sys/saveas,o_YQ,x_YQ".encode(), (400, "InvalidArgument")),
        (f"x-oss-process={CLEAN}|sys/notify,o_YQ".encode(), (400, "InvalidArgument")),
        (f"x-oss-process={CLEAN}|sys/saveas,o_Y+Q".encode(), (400, "BadRequest")),
        (f"x-oss-process={CLEAN}|sys/saveas,o_Y".encode(), (400, "BadRequest")),
        (f"x-oss-process={CLEAN}|sys/saveas,o__w".encode(), (400, "BadRequest")),
        (body_of(target="/x"), (400, "InvalidObjectName")),
        (body_of(target="x" * 1024), (400, "InvalidObjectName")),
        (body_of(bucket="other-bucket"), (400, "InvalidArgument")),
        (body_of("image/blurry,1"), (400, "InvalidArgument")),
        (body_of("image/info"), (400, "InvalidArgument")),
        (body_of("image/blur,r_3"), (501, "NotImplemented")),
        (body_of("video/snapshot,t_1"), (501, "NotImplemented")),
    ],
)
def test_each_wrong_body_has_its_refusal(body, refusal, photo, oss, oss_client):
    before = set(oss.objects)
    assert post(oss_client, body).refusal[:2] == refusal
    assert set(oss.objects) == before


def test_processing_belongs_into_the_body(photo, oss_client):
    answer = post(oss_client, **{"x-oss-process": "image/format,jpg"})
    assert answer.refusal[:2] == (400, "InvalidArgument")


def test_a_wrong_digest_is_refused(photo, oss_client):
    headers = {"Content-MD5": base64.b64encode(bytes(16)).decode()}
    answer = oss_client.call("POST", SOURCE, body_of(), headers=headers, **{"x-oss-process": None})
    assert answer.refusal[:2] == (400, "InvalidDigest")


def test_a_missing_invalid_or_too_large_picture_is_refused(oss, oss_client):
    assert post(oss_client).refusal[:2] == (404, "NoSuchKey")
    oss_client.call("PUT", SOURCE, b"text")
    assert post(oss_client).refusal[:2] == (400, "BadRequest")
    oss_client.call("PUT", SOURCE, bytes(LARGEST_SOURCE_BYTES + 1))
    assert post(oss_client).refusal[:2] == (400, "ImageTooLarge")


@pytest.mark.parametrize(
    ("rights", "status"),
    [
        ([("PostProcessTask", SOURCE), ("PutObject", TARGET)], 200),
        ([("PostProcessTask", SOURCE)], 403),
        ([("PutObject", TARGET)], 403),
        ([("PostProcessTask", TARGET), ("PutObject", SOURCE)], 403),
        ([("GetObject", "*"), ("PutObject", "*")], 403),
    ],
)
def test_processing_needs_the_rights_to_process_and_to_store(rights, status, may, photo, oss, oss_client):
    may(*rights)
    answer = post(oss_client, key="may")
    assert answer.status == status
    assert (TARGET in oss.objects) == (status == 200)
    if status == 403:
        assert answer.refusal == (403, "AccessDenied", "0003-00000301")


def test_strangers_are_refused(photo, oss, oss_client):
    answer = oss_client.request("POST", f"{oss_client.path(SOURCE)}?x-oss-process", body_of())
    assert answer.refusal == (403, "AccessDenied", "0003-00000001")
    assert TARGET not in oss.objects


def test_an_object_under_retention_is_not_overwritten(photo, oss, oss_client):
    oss_client.call("PUT", TARGET, b"older")
    oss.bucket.rules = replace(oss.bucket.rules, retention_days=1)
    assert post(oss_client).refusal[:2] == (409, "FileImmutable")
    assert oss.objects[TARGET].size == 5
    folder = oss.objects[TARGET].path.parent
    assert not list(folder.glob("incoming-*"))


def test_the_reference_vector_is_signed_as_here(oss):
    """The canonical request that OSS's own SDK signs for such a call."""
    from local.oss.request import Request
    from local.oss.request_signature import canonical_request

    body = body_of(target="u/42/a.clean.jpg")
    assert body.endswith(b"|sys/saveas,o_dS80Mi9hLmNsZWFuLmpwZw,b_ZXhhbXBsZWJ1Y2tldA")
    headers = {
        "content-md5": base64.b64encode(hashlib.md5(body).digest()).decode(),
        "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
        "x-oss-date": "20300102T030405Z",
        "x-oss-security-token": "CAISexampleToken/+==",
    }
    assert headers["content-md5"] == "jtohLrFQ2jVRgB91bVJBlA=="
    request = Request("POST", "u/42/a.jpg", {"x-oss-process": ""}, headers)
    digest = hashlib.sha256(canonical_request(request, "examplebucket", ()).encode()).hexdigest()
    assert digest == "6f0eadfd14c62efb4a5784421a77b27bed3c182e895c16da39184d14b69f4fed"
