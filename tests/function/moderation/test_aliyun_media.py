"""Videos and sounds at Green: the worst of all parts counts, and a missing part is no pass."""

import copy
import json

import pytest

from function.moderation.aliyun import fetch_result, submit_media
from function.moderation.aliyun_verdict import not_checked, unreadable
from function.moderation.finding import Outcome
from tests.function.moderation.green_world import ID, URL, profile_of, world_of

PASS, RISKY, REVIEW = Outcome.PASS, Outcome.RISKY, Outcome.REVIEW
TASK = "vi_f_jf6wUr-1xBqTw"
CLEAN = {"Label": "nonLabel", "Description": "未检测出风险"}
VIDEO = {
    "TaskId": TASK,
    "RiskLevel": "none",
    "FrameResult": {
        "FrameNum": 2,
        "RiskLevel": "none",
        "Frames": [
            {"Offset": 1, "RiskLevel": "none", "Results": [{"Service": "baselineCheck", "Result": [CLEAN]}]},
            {"Offset": 2, "RiskLevel": "low", "Results": [{"Service": "baselineCheck", "Result": [CLEAN]}]},
        ],
    },
    "AudioResult": {
        "RiskLevel": "none",
        "SliceDetails": [{"StartTime": 0, "EndTime": 9, "Text": "…", "Labels": "", "RiskLevel": "none"}],
    },
}
VOICE = {"TaskId": TASK, **VIDEO["AudioResult"]}


@pytest.fixture
def world(environment, clock, profiles_file):
    return world_of(environment, clock, profiles_file)


def changed(data, path, value):
    """The data with another value at a path; ``...`` removes what is there."""
    data = whole = copy.deepcopy(data)
    *before, last = path
    for name in before:
        data = data[name]
    if value is ...:
        del data[last]
    else:
        data[last] = value
    return whole


def fetched(world, data, main_type="video"):
    world.green.answers = [{"Code": 200, "Message": "OK", "RequestId": "r", "Data": data}]
    return fetch_result(world.call(), profile_of(world), main_type, TASK)


def submitted(world, answer, main_type="video"):
    world.green.answers = [answer]
    return submit_media(world.call(), profile_of(world), main_type, URL, ID)


@pytest.mark.parametrize(
    ("main_type", "action", "service"),
    [
        ("video", "VideoModeration", "videoDetection"),
        ("audio", "VoiceModeration", "audio_media_detection"),
    ],
)
def test_submission_and_result_are_requested_as_documented(world, main_type, action, service):
    task = submitted(world, "pass", main_type)
    assert task == f"task-{ID}"
    fetch_result(world.call(), profile_of(world), main_type, task)
    begun, asked = world.green.asked
    assert begun[:3] == (action, service, {"url": URL, "dataId": ID})
    assert asked[:3] == (f"{action}Result", service, {"taskId": task})


@pytest.mark.parametrize("suffix", ["_cb", "_global"])
def test_services_abroad_have_the_suffix_of_the_pictures_service(environment, clock, profiles_file, suffix):
    world = world_of(environment, clock, profiles_file, service=f"baselineCheck{suffix}")
    submitted(world, "pass")
    assert world.green.asked[0].service == f"videoDetection{suffix}"


@pytest.mark.parametrize("task", [None, "", "../x", "x" * 129])
def test_a_submission_without_a_valid_task_is_left_to_a_human(world, task):
    answer = {"Code": 200, "Data": {"DataId": ID, "TaskId": task}}
    assert submitted(world, answer) == unreadable()


@pytest.mark.parametrize(
    "answer", [{"Code": 200, "Data": {"DataId": "B", "TaskId": TASK}}, 403, None, "<html>"]
)
def test_a_submission_that_failed_checks_nothing(world, answer):
    verdict = submitted(world, answer)
    assert verdict.outcome is Outcome.ERROR


@pytest.mark.parametrize(("data", "main_type"), [(VIDEO, "video"), (VOICE, "audio")])
def test_a_file_passes_if_all_its_parts_are_harmless(world, data, main_type):
    assert fetched(world, data, main_type).outcome is PASS


FRAME, SLICE = ("FrameResult", "Frames", 1), ("AudioResult", "SliceDetails", 0)
LABEL = (*FRAME, "Results", 0, "Result", 0)


PARTS = [
    ("RiskLevel",),
    *(("FrameResult", *rest) for rest in [(), ("RiskLevel",), ("FrameNum",), ("Frames",)]),
    *((*FRAME, name) for name in ("RiskLevel", "Results")),
    (*FRAME, "Results", 0, "Result"),
    (*LABEL, "Label"),
    *(("AudioResult", *rest) for rest in [(), ("RiskLevel",), ("SliceDetails",)]),
    (*SLICE, "RiskLevel"),
]
# Green may list parts with a risk only: the level beside them covers all. Any text may be a label.
VALID = [(("FrameResult", "Frames"), []), (("AudioResult", "SliceDetails"), []), ((*LABEL, "Label"), "odd")]


@pytest.mark.parametrize("path", PARTS)
def test_a_part_that_is_missing_or_odd_is_no_pass(world, path):
    for value in (..., None, "odd", 0, [], {}, True, [5]):
        if (path, value) not in VALID:
            assert fetched(world, changed(VIDEO, path, value)) == unreadable(), value


@pytest.mark.parametrize("path", [("FrameResult", "Frames"), ("AudioResult", "SliceDetails")])
def test_an_empty_list_beside_its_level_passes(world, path):
    assert fetched(world, changed(VIDEO, path, [])).outcome is PASS


@pytest.mark.parametrize("path", [("RiskLevel",), ("FrameResult", "RiskLevel"), ("AudioResult", "RiskLevel")])
@pytest.mark.parametrize("level", ["medium", "high"])
def test_a_level_of_one_part_alone_prevents_a_pass(world, path, level):
    assert fetched(world, changed(VIDEO, path, level)).outcome is REVIEW


@pytest.mark.parametrize("level", ["none", "low", "medium"])
@pytest.mark.parametrize("path", [(*LABEL, "Label"), (*SLICE, "Labels")])
def test_a_label_of_one_part_alone_prevents_a_pass(world, path, level):
    data = changed(VIDEO, path, "pornographic_x")
    data = changed(data, (*path[:3], "RiskLevel"), level)
    verdict = fetched(world, data)
    assert (verdict.outcome, verdict.finding.label) == (REVIEW, "pornographic_x")


@pytest.mark.parametrize(
    ("labels", "outcome", "kept"),
    [
        ("nonLabel", PASS, ()),
        ("sexual_sounds,ad", REVIEW, ("sexual_sounds", "ad")),
        ("a,,b", REVIEW, ("a", "", "b")),
    ],
)
def test_labels_of_a_sound_are_one_text(world, labels, outcome, kept):
    verdict = fetched(world, changed(VOICE, ("SliceDetails", 0, "Labels"), labels), "audio")
    found = tuple(label for label in verdict.finding.labels if label != "nonLabel")
    assert (verdict.outcome, found) == (outcome, kept)


@pytest.mark.parametrize("labels", [5, ["a"], "a b"])
def test_labels_of_a_sound_of_another_shape_are_left_to_a_human(world, labels):
    assert fetched(world, changed(VOICE, ("SliceDetails", 0, "Labels"), labels), "audio") == unreadable()


def test_a_video_of_many_bad_frames_is_rejected(world):
    """Its answer is much longer than any other."""
    bad = changed(VIDEO, (*LABEL, "Label"), "violent_x")
    (*_, frame) = changed(bad, (*LABEL[:3], "RiskLevel"), "high")["FrameResult"]["Frames"]
    data = changed(VIDEO, ("FrameResult", "Frames"), [frame] * 10_000)
    assert len(json.dumps(data)) > 1024**2
    verdict = fetched(world, data)
    assert (verdict.outcome, verdict.finding.label) == (RISKY, "violent_x")


def test_the_result_of_another_task_checks_nothing(world):
    assert fetched(world, {**VIDEO, "TaskId": "another"}) == not_checked()


def test_a_task_that_runs_is_no_failure(world):
    world.green.answers = [280]
    call = world.call()
    assert fetch_result(call, profile_of(world), "video", TASK) == not_checked(280)
    assert (call.line.reason, call.aliyun_has_failed) == (None, False)
