"""Video and sound at the local content moderation: submitted, looked at, and told of later."""

import pytest

MP4 = b"\0\0\0\x18ftypmp42" + bytes(40)
MP3 = b"ID3\x04" + bytes(40)
SERVICES = {"VideoModeration": "videoDetection", "VoiceModeration": "audio_media_detection"}


@pytest.fixture
def files(site):
    """Addresses of a video and a sound, whose names decide."""
    names = {"VideoModeration": (MP4, ".mp4"), "VoiceModeration": (MP3, ".mp3")}
    return lambda action, name: site.put(name + names[action][1], names[action][0])


@pytest.fixture
def submit(green, files):
    """Submit a file of this name; the task's id."""

    def submit(action, name="sunset", **changed):
        wanted = {"url": files(action, name), "dataId": "u42-a", **changed}
        status, body = green.ask(action, wanted, SERVICES[action])
        assert (status, body["Code"], body["Message"]) == (200, 200, "OK")
        assert body["Data"]["DataId"] == "u42-a"
        return body["Data"]["TaskId"]

    return submit


@pytest.fixture
def result(green):
    """The answer about a task."""
    return lambda action, task_id: green.ask(f"{action}Result", {"taskId": task_id}, SERVICES[action])[1]


@pytest.mark.parametrize("action", SERVICES)
def test_a_result_comes_after_half_a_minute_and_stays_a_day(submit, result, clock, action):
    task_id = submit(action)
    clock.tick(seconds=29)
    assert result(action, task_id)["Code"] == 280
    clock.tick(seconds=1)
    assert result(action, task_id)["Code"] == 200
    assert result(action, task_id)["Data"]["RiskLevel"] == "none"
    clock.tick(hours=24)
    assert result(action, task_id)["Code"] == 200
    clock.tick(seconds=1)
    assert result(action, task_id)["Code"] == 409


@pytest.mark.parametrize("action", SERVICES)
@pytest.mark.parametrize(("name", "level"), [("risky-1", "high"), ("review-1", "medium")])
def test_the_file_name_decides(submit, result, clock, action, name, level):
    task_id = submit(action, name)
    clock.tick(seconds=30)
    assert result(action, task_id)["Data"]["RiskLevel"] == level


def test_a_video_is_answered_in_the_documented_shape(submit, result, clock):
    task_id = submit("VideoModeration", "risky-1")
    clock.tick(seconds=30)
    data = result("VideoModeration", task_id)["Data"]
    assert set(data) == {"DataId", "TaskId", "RiskLevel", "FrameResult", "AudioResult"}
    (frame,) = data["FrameResult"]["Frames"]
    assert frame["Results"][0]["Result"][0]["Label"] == "pornographic_adultContent"
    assert data["AudioResult"]["SliceDetails"][0]["RiskLevel"] == "none"


@pytest.mark.parametrize(
    ("shape", "levels"),
    [
        ("usual", ["none", "none", "none"]),
        ("no_frames", ["none", None, "none"]),
        ("no_sound", ["none", "none", None]),
        ("no_parts", ["none", None, None]),
        ("risky_sound", ["high", "none", "high"]),
    ],
)
def test_a_video_s_result_takes_the_planned_shape(green, submit, result, clock, shape, levels):
    green.plan(shape=shape, times=1)
    task_id = submit("VideoModeration")
    clock.tick(seconds=30)
    data = result("VideoModeration", task_id)["Data"]
    parts = [data.get(name, {}) for name in ("FrameResult", "AudioResult")]
    assert [part.get("RiskLevel") for part in (data, *parts)] == levels


@pytest.mark.parametrize("action", SERVICES)
def test_the_file_is_looked_at_when_it_is_submitted(submit, result, site, clock, action):
    gone, changed = submit(action), submit(action, "risky-2")
    site.files.clear()
    clock.tick(seconds=30)
    assert result(action, gone)["Code"] == result(action, changed)["Code"] == 200
    assert {headers["Range"] for _, _, headers, _ in site.requests} == {"bytes=0-4095"}


@pytest.mark.parametrize(("body", "status", "code"), [(b"text", 200, 407), (MP4, 404, 404)])
def test_the_result_says_why_a_file_was_not_checked(green, result, site, clock, body, status, code):
    wanted = {"url": site.put("a.mp4", body, status)}
    task_id = green.ask("VideoModeration", wanted, "videoDetection")[1]["Data"]["TaskId"]
    clock.tick(seconds=30)
    assert result("VideoModeration", task_id)["Code"] == code


def test_a_task_belongs_to_its_action_and_its_result_is_free(green, submit, result, clock):
    task_id = submit("VideoModeration")
    clock.tick(seconds=30)
    for action, asked, code in (
        ("Video", task_id, 200),
        ("Voice", task_id, 409),
        ("Video", "vi_unknown", 409),
        ("Video", 5, 401),
        ("Video", "", 400),
    ):
        assert result(f"{action}Moderation", asked)["Code"] == code
    assert green.server.billed == {"VideoModeration": 1}


def test_a_plan_is_for_a_result_only_by_its_name(green, submit, result, clock):
    green.plan(code=500, on="VideoModerationResult", times=1)
    green.plan(verdict="risky", times=1)
    task_id = submit("VideoModeration")
    clock.tick(seconds=30)
    assert result("VideoModeration", task_id)["Code"] == 500
    assert result("VideoModeration", task_id)["Data"]["RiskLevel"] == "high"


def test_a_result_without_parts_is_planned(green, submit, result, clock):
    green.plan(shape="no_parts", on="VoiceModeration", times=1)
    task_id = submit("VoiceModeration")
    clock.tick(seconds=30)
    assert "SliceDetails" not in result("VoiceModeration", task_id)["Data"]
