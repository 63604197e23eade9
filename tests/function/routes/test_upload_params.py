"""Forms of one file or several."""

import json
import re
from base64 import b64decode

import pytest

from tests.support.cases import cases_beside, profile_toml, table_beside

cases = cases_beside(__file__)

IMAGE = '[default]\nkey = "a/{id}"\nmax_size = 1\ncontent_types = ["image/png"]\n'
FORM, LIMITS = (table_beside(__file__)[name] for name in ("form", "limits"))
PROFILES = profile_toml(
    "document", "a", "{id}{ext}", max_size=1, content_types=["*/*", "image/svg+xml"]
) + profile_toml(
    "own",
    "b",
    "{id}",
    max_size=1,
    content_types=["*/*", "image/svg+xml"],
    content_disposition="attachment; filename=x",
    storage_class="IA",
)


def conditions(form):
    return json.loads(b64decode(form["policy"]))["conditions"]


def test_one_form_has_the_documented_shape(instance, good_sts):
    answer = instance().ask(body={"filename": "猫.JPG", "contentType": "image/jpeg; q=1", "size": 1024})
    body = answer.json
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == set(FORM["response"])
    assert set(body["formData"]) == set(FORM["fields"])
    assert body["formData"].items() >= FORM["pinned"].items()
    assert re.fullmatch(r"uploads/public/2026/11/24/[A-Za-z0-9_-]{22}\.jpg", body["key"])
    assert body["key"] == body["formData"]["key"]
    assert body["uploadId"] in body["key"]
    assert body["url"] == "https://my-bucket.oss-cn-hangzhou.aliyuncs.com"
    assert body["fileUrl"] == f"{body['url']}/{body['key']}"
    assert (body["serverTime"], body["expiresAt"]) == ("2026-11-24T14:00:00Z", "2026-11-24T14:05:00Z")
    assert body["maxSize"] == 1024
    assert ["content-length-range", 1024, 1024] in conditions(body["formData"])
    assert len(good_sts.calls) == 1


def test_a_v1_form_has_its_own_two_fields(instance, good_sts):
    form = instance(OSS_SIGNATURE_VERSION="v1").ask(body={"filename": "a.png"}).json["formData"]
    assert {"OSSAccessKeyId", "signature"} <= set(form)
    assert not {"x-oss-signature", "x-oss-date", "x-oss-credential", "x-oss-signature-version"} & set(form)


def test_several_files_get_forms_in_order(instance, good_sts):
    files = [{"filename": f"{index}.png", "size": index + 1} for index in range(20)]
    body = instance().ask(body={"files": files}).json
    assert set(body) == {"uploads", "serverTime"}
    assert [upload["maxSize"] for upload in body["uploads"]] == list(range(1, 21))
    assert len({upload["key"] for upload in body["uploads"]}) == 20
    assert len(good_sts.calls) == 1


@cases("options", "expected")
def test_overwrite_and_a_profile_s_headers_are_sent_and_pinned(
    instance, good_sts, profiles_file, options, expected
):
    form = instance(PROFILES_FILE=profiles_file(IMAGE + options)).ask(body={}).json["formData"]
    assert form["x-oss-content-type"] == "image/png"
    for name, value in expected.items():
        assert form[name] == value
        assert {name: value} in conditions(form)


def pinned(form):
    return {name: value for pin in conditions(form) if isinstance(pin, dict) for name, value in pin.items()}


@cases("kind", "disposition")
def test_no_form_lets_its_holder_choose_disposition_or_storage_class(
    instance, good_sts, profiles_file, kind, disposition
):
    function = instance(PROFILES_FILE=profiles_file(PROFILES), TOKEN_SECRET="t" * 31 + "s")
    for name, values in (("document", (disposition, "Standard")), ("own", ("attachment; filename=x", "IA"))):
        form = function.ask(body={"profile": name, "contentType": kind}).json["formData"]
        for field, value in zip(("Content-Disposition", "x-oss-storage-class"), values, strict=True):
            assert form[field] == pinned(form)[field] == value


@cases("body", "status", "code")
def test_a_refused_file_gets_the_limits_of_its_profile(instance, body, status, code):
    answer = instance().ask(body=body)
    assert (answer.status, answer.code) == (status, code)
    assert answer.json["error"]["limits"] == LIMITS
    answer = instance().ask(body={"files": [{"filename": "a.png"}, body]})
    assert (answer.status, answer.json["error"]["limits"]) == (status, LIMITS)


@pytest.mark.parametrize("filename", [None, "noextension", "a.", ".png"])
def test_a_file_without_an_extension_needs_a_content_type(instance, filename):
    answer = instance().ask(body={"filename": filename})
    assert (answer.status, answer.code) == (400, "bad_request")
    assert "limits" not in answer.json["error"]


def test_a_chinese_key_is_percent_encoded_in_the_url(instance, good_sts, profiles_file):
    path = profiles_file(IMAGE.replace("a/", "图片/"))
    body = instance(PROFILES_FILE=path).ask(body={}).json
    assert body["key"].startswith("图片/")
    assert "/%E5%9B%BE%E7%89%87/" in body["fileUrl"]


def test_bad_input_never_reaches_sts(instance, sts):
    assert instance().ask(body={"filename": "a.exe"}).status == 415
    assert len(sts.calls) == 0


def test_more_files_than_the_rate_ever_admits_are_a_bad_request(instance):
    answer = instance(CALLER_RATE="5/min").ask(body={"files": [{"filename": "a.png"}] * 6})
    assert (answer.status, answer.code) == (400, "bad_request")
    assert "files" in answer.json["error"]["message"]


@cases("minutes", "status")
def test_without_threads_cached_credentials_are_used_while_they_cover_a_form(
    instance, good_sts, clock, no_threads, log_lines, minutes, status
):
    """Regression: with all threads taken by callbacks, the refresh of credentials was a 500."""
    function = instance()
    if minutes is not None:
        assert function.ask(body={"filename": "a.png"}).status == 200
        clock.tick(minutes=minutes)
    with no_threads():
        answer = function.ask(body={"filename": "a.png"})
    assert answer.status == status
    if status == 503:
        assert (answer.code, answer.headers["Retry-After"]) == ("sts_unavailable", "2")
        assert log_lines()[-1]["reason"] == "AssumeRole: cannot start a thread"
    else:
        assert log_lines()[-1]["stsRefreshed"] is False
        clock.tick(minutes=1)
    assert function.ask(body={"filename": "a.png"}).status == 200
    assert log_lines()[-1]["stsRefreshed"] is True
