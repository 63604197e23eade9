"""Large files at the deployed function: tried, and nothing left behind."""

import json
from itertools import count

import pytest

from function.app import load_settings
from ops.doctor.findings import State
from ops.doctor.parts import check_parts

# A code is good once.
CODES = (f"local-doctor-{number}" for number in count())


def logged_in(here, **changes):
    """The deployed function is asked as a caller would ask it."""
    return here.examine(code=next(CODES), **changes)


def test_a_part_is_sent_listed_and_given_up(here):
    [finding] = logged_in(here).of("Large files")
    assert (finding.check.en, finding.state) == ("Large files [video]", State.GOOD)
    assert (finding.said.en, finding.said.zh) == (
        "a part was sent, listed and given up",
        "发送、列出并放弃了一片",
    )
    assert list(here.cloud.oss.bucket.uploads) == []


def test_without_a_caller_or_such_a_profile_nothing_is_tried(here, tmp_path):
    assert here.examine().of("Large files") == []
    plain = tmp_path / "profiles.toml"
    plain.write_text('[default]\nkey = "uploads/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\n')
    assert logged_in(here, PROFILES_FILE=str(plain)).of("Large files") == []


def test_a_role_from_before_the_option_is_mended_by_setup(here, serving):
    profile = load_settings(here.environ).profiles["video"]
    refused = {"error": {"code": "oss_rejected", "message": "m", "requestId": "r"}}
    finding = check_parts(serving(502, json.dumps(refused)), "", profile)
    assert "manage.py setup" in finding.remedy.en


def test_a_part_that_oss_does_not_take_is_explained_and_given_up(here):
    here.cloud.oss.faults.plan("expired_url", on=["UploadPart"])
    finding = logged_in(here).the_bad_one("Large files")
    assert "HTTP 403" in finding.said.en
    assert list(here.cloud.oss.bucket.uploads) == []


def test_a_function_that_is_older_or_silent_or_another_program_is_told(here, serving):
    profile = load_settings(here.environ).profiles["video"]
    older = serving(404, json.dumps({"error": {"code": "not_found", "message": "m", "requestId": "r"}}))
    assert "is an older one" in check_parts(older, "", profile).remedy.en
    silent = check_parts("http://127.0.0.1:9", "", profile)
    assert (silent.state, "--url" in silent.remedy.en) == (State.BAD, True)
    other = check_parts(serving(200, '{"status": "ok"}'), "", profile)
    assert (other.state, other.said.en) == (State.BAD, "the answer is not this function's")


def test_a_bucket_that_is_not_reached_is_told(here, serving):
    profile = load_settings(here.environ).profiles["video"]
    part = {"number": 1, "size": 1, "url": "http://127.0.0.1:9/x"}
    function = serving(200, json.dumps({"ticket": "t", "headers": {}, "parts": [part], "missing": 1}))
    finding = check_parts(function, "", profile)
    assert "OSS_HOST" in finding.remedy.en


def test_a_part_that_went_to_another_bucket_is_told(here, serving):
    profile = load_settings(here.environ).profiles["video"]
    part = {"number": 1, "size": 1, "url": f"{serving(200, '')}/x"}
    function = serving(200, json.dumps({"ticket": "t", "headers": {}, "parts": [part], "missing": 1}))
    finding = check_parts(function, "", profile)
    assert finding.said.en == "OSS does not list the part"
    assert "OSS_ENDPOINT" in finding.remedy.en


@pytest.mark.parametrize("kinds", [["video/*"], ["*/*"], ["image/png"]])
def test_a_wildcard_is_tried_with_one_of_its_types(here, tmp_path, kinds):
    path = tmp_path / "profiles.toml"
    path.write_text(
        f'[large]\nkey = "videos/{{owner}}/{{id}}"\nmax_size = "1MiB"\nmin_size = 9\n'
        f"content_types = {json.dumps(kinds)}\nparts = true\n"
    )
    profile = load_settings({**here.environ, "PROFILES_FILE": str(path)}).profiles["large"]
    from ops.doctor.parts import _wanted

    wanted = _wanted(profile)
    assert profile.admits(wanted["contentType"])
    assert wanted["size"] == 9
