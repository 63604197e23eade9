"""Large files at the deployed function: tried, and nothing left behind."""

import json

import pytest

from function.app import load_settings
from ops.doctor.findings import State
from ops.doctor.parts import _wanted, check_parts


def test_a_part_is_sent_listed_and_aborted(here):
    [finding] = here.examine().of("Large files")
    assert (finding.check.en, finding.state) == ("Large files [video]", State.GOOD)
    assert list(here.cloud.idle().oss.bucket.uploads) == []


def test_large_files_need_a_caller_and_a_parts_profile(here, tmp_path):
    assert here.examine(code="").of("Large files") == []
    plain = tmp_path / "profiles.toml"
    plain.write_text('[default]\nkey = "uploads/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\n')
    assert here.examine(PROFILES_FILE=str(plain)).of("Large files") == []


def function_error(code):
    return json.dumps({"error": {"code": code, "message": "m", "requestId": "r"}})


@pytest.fixture
def found(here):
    """The finding about the parts of [video] at this address."""
    profile = load_settings(here.environ).profiles["video"]
    return lambda url: check_parts(url, "", profile)


@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        (502, function_error("oss_rejected"), "manage.py setup"),
        (404, function_error("not_found"), "make deploy"),
        (200, '{"status": "ok"}', ""),
    ],
)
def test_each_answer_that_is_no_upload_has_its_remedy(found, serving, status, body, advice):
    finding = found(serving(status, body))
    assert finding.state is State.BAD
    assert advice in (finding.remedy.en if finding.remedy else "")


@pytest.mark.parametrize(("answers", "setting"), [(False, "OSS_HOST"), (True, "OSS_ENDPOINT")])
def test_a_part_that_does_not_reach_the_bucket_names_the_setting(found, serving, answers, setting):
    origin = serving(200, "") if answers else "http://127.0.0.1:9"
    part = {"number": 1, "size": 1, "url": f"{origin}/x"}
    function = serving(200, json.dumps({"ticket": "t", "headers": {}, "parts": [part], "missing": 1}))
    assert setting in found(function).remedy.en


def test_a_part_that_oss_refuses_is_explained_and_aborted(here):
    here.cloud.oss.faults.plan("expired_url", on=["UploadPart"])
    finding = here.examine().the_bad_one("Large files")
    assert "HTTP 403" in finding.said.en
    assert list(here.cloud.idle().oss.bucket.uploads) == []


@pytest.mark.parametrize("kinds", [["video/*"], ["*/*"], ["image/png"]])
def test_a_wildcard_is_tried_with_one_of_its_types(here, tmp_path, kinds):
    path = tmp_path / "profiles.toml"
    path.write_text(
        f'[large]\nkey = "videos/{{owner}}/{{id}}"\nmax_size = "1MiB"\nmin_size = 9\n'
        f"content_types = {json.dumps(kinds)}\nparts = true\n"
    )
    profile = load_settings({**here.environ, "PROFILES_FILE": str(path)}).profiles["large"]

    wanted = _wanted(profile)
    assert profile.admits(wanted["contentType"])
    assert wanted["size"] == 9
