"""Content moderation of files: each code, each verdict, each odd shape, at once or told later."""

import http.client
import json
import struct
from dataclasses import replace
from datetime import timedelta

import pytest

from local.green.plan import CHOICES
from tests.local.green.conftest import picture
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@pytest.fixture
def check(green, site):
    """Have a file of the site checked; the status and the body of the answer."""

    def check(name="sunset.png", service="baselineCheck", **changed):
        wanted = {"imageUrl": f"{site.origin}/held/{name}", "dataId": "u42-a", **changed}
        return green.picture({key: value for key, value in wanted.items() if value is not None}, service)

    return check


def test_a_picture_is_answered_in_the_documented_shape_and_the_sender_s_name_counts_first(
    check, start_green, site
):
    status, body = check()
    assert status == 200 and body.pop("RequestId")
    result = [{"Label": "nonLabel", "Description": "未检测出风险"}]
    assert body == {
        "Msg": "OK",
        "Code": 200,
        "Data": {"DataId": "u42-a", "RiskLevel": "none", "Result": result},
    }
    green = start_green(name_of=lambda url: "risky-a.png" if url.endswith("/held/sunset.png") else None)
    _, body = green.picture({"imageUrl": f"{site.origin}/held/sunset.png"})
    assert body["Data"]["RiskLevel"] == "high"


def test_a_silent_file_is_never_answered(check, green):
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        check("silent-1.png")
    assert [call.code for call in green.server.calls] == [0]


@cases("changed", "code")
def test_a_wrong_parameter_has_a_code_of_its_own(check, changed, code):
    status, body = check(**changed)
    assert (status, body["Code"]) == (200, int(code))
    assert ("Data" in body) is (code == "200")


@pytest.mark.parametrize(("text", "code"), [("", 400), ("{", 401), ("[]", 401), ("[" * 9000, 401)])
def test_parameters_are_one_json_object(green, text, code):
    assert green.code(text) == code


def heic(width, height):
    return b"\0\0\0\x18ftypheic" + bytes(12) + b"ispe\0\0\0\0" + struct.pack(">II", width, height)


def sized(width, height):
    """A GIF that says so of its size."""
    drawn = picture("GIF", (1, 1))
    return drawn[:6] + struct.pack("<HH", width, height) + drawn[10:]


FILES = {
    "PNG": (picture(), 200),
    "ICO": (picture("ICO", (16, 16)), 200),
    "SVG": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', 200),
    "HEIC": (heic(8191, 100), 200),
    "large HEIC": (heic(8192, 100), 406),
    "text": (b"not a picture", 407),
    "cut off": (picture()[:40], 407),
    "a header only": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(57), 407),
    "video": (b"\0\0\0\x18ftypmp42" + bytes(40), 407),
    "longest side": (sized(16384, 1), 200),
    "longer side": (sized(1, 16385), 406),
    "one more point": (sized(16384, 10193), 406),
    "most points": (sized(16384, 10192), 200),
    "over 20 MB": (bytes(20 * 1024 * 1024 + 1), 406),
    **{f"answered with {status}": (picture(), 404, status) for status in (403, 404, 302, 500, 206)},
}


@pytest.mark.parametrize(
    ("file", "code"), [((body, *status), code) for body, code, *status in FILES.values()], ids=FILES
)
def test_the_file_itself_is_looked_at(green, site, file, code):
    assert green.code({"imageUrl": site.put("file.png", *file)}) == code


@pytest.mark.parametrize("old", [False, True])
def test_the_codes_of_files_are_those_of_either_edition(start_green, site, old):
    green = start_green(moderation_old_codes=old, moderation_wide_is_too_large=old)
    site.slow.add("/held/slow.png")
    site.put("wide.png", sized(16385, 1))
    site.put("text.png", b"text")
    # By the other rule a long side is no known format.
    new = {"absent": 404, "wide": 407, "text": 407, "slow": 405}
    for name, code in ({"absent": 480, "wide": 589, "text": 590, "slow": 592} if old else new).items():
        if name == "slow":
            green.server.rules = replace(green.server.rules, moderation_fetches_for=timedelta(seconds=0.1))
        assert green.code({"imageUrl": f"{site.origin}/held/{name}.png"}) == code


@pytest.mark.parametrize(("code", "status"), [(408, 408), (280, 200), (592, 592), (999, 200)])
def test_the_code_may_be_the_status(start_green, code, status):
    green = start_green(moderation_code_is_status=True)
    green.plan(code=code)
    assert green.picture({})[0] == status


@cases("rules", "code")
def test_a_bucket_is_read_only_with_consent(start_green, site, rules, code):
    place = {"ossRegionId": "cn-shanghai", "ossBucketName": "b", "ossObjectName": "held/sunset.png"}
    green = start_green(url_of=lambda bucket, key: f"{site.origin}/{key}", **rules)
    assert green.code(place) == code


def test_more_calls_than_are_allowed_in_a_second_are_refused(green, clock):
    assert [green.code({}) for _ in range(101)] == [400] * 100 + [403]
    clock.tick(seconds=1)
    assert green.code({}) == 400


def test_planned_answers_are_taken_in_their_order_and_only_an_answered_picture_is_billed(check, green):
    green.plan(code=500, times=2)
    green.plan(verdict="risky", times=1)
    green.picture({}, secret="another")
    assert [check()[1]["Code"] for _ in range(4)] == [500, 500, 200, 200]
    check("absent.png")
    check(dataId="x" * 65)
    assert green.server.billed == {"ImageModeration": 2}
    assert [call.code for call in green.server.calls] == [500, 500, 200, 200, 404, 402]


@cases("wanted", "told")
def test_an_answer_takes_the_planned_shape(check, green, wanted, told):
    green.plan(**wanted, times=1)
    body = check()[1]
    data = body.get("Data") or {}
    last = data["Result"][-1] if data.get("Result") and isinstance(data["Result"][-1], dict) else {}
    said = {"of body": body, "of data": data, "of label": last}
    for where, fields in told.items():
        assert {name: said[where].get(name, "absent") for name in fields} == fields


def test_the_plan_is_listed_and_cleared(green, check):
    assert green.plan(verdict="risky")[0] == 200
    check()
    told = json.loads(green.send("GET", "/-/check")[1])
    assert (told["planned"][0]["verdict"], told["choices"]["shape"]) == ("risky", list(CHOICES["shape"]))
    assert told["billed"] == {"ImageModeration": 1}
    assert "held" not in json.dumps(told["calls"])
    assert json.loads(green.send("DELETE", "/-/check")[1])["planned"] == []


@cases("body")
def test_a_wrong_plan_is_refused(green, body):
    status, said = green.send("PUT", "/-/check", json.dumps(body))
    assert (status, set(json.loads(said))) == (400, {"error"})
    assert green.send("PUT", "/-/check", '{"verdict": "pass"}', Origin="http://evil.example")[0] == 403


def test_an_answer_may_come_late_or_byte_by_byte(check, green):
    waits = []
    green.server._server.stopping.wait = lambda seconds=None: waits.append(seconds)
    green.plan(delay=0.8, times=1)
    check()
    green.server.faults.plan("slow_body", seconds=0.3, times=1)
    assert check()[1]["Code"] == 200
    assert waits[0] == 0.8
    assert set(waits[1:]) == {0.3}
    assert len(waits) > 100


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
@pytest.mark.parametrize(("name", "level"), [("sunset", "none"), ("risky-1", "high"), ("review-1", "medium")])
def test_a_file_is_looked_at_when_it_is_submitted_and_its_result_comes_later_and_stays_a_day(
    submit, result, site, clock, action, name, level
):
    task_id = submit(action, name)
    site.files.clear()
    clock.tick(seconds=29)
    assert result(action, task_id)["Code"] == 280
    clock.tick(seconds=1)
    assert result(action, task_id)["Data"]["RiskLevel"] == level
    clock.tick(hours=24)
    assert result(action, task_id)["Code"] == 200
    clock.tick(seconds=1)
    assert result(action, task_id)["Code"] == 409
    assert {headers["Range"] for _, _, headers, _ in site.requests} == {"bytes=0-4095"}


def test_a_task_belongs_to_its_action_its_result_is_free_and_says_why_a_file_was_not_checked(
    green, site, submit, result, clock
):
    task_id, asked = submit("VideoModeration"), {}
    for body, status, code in ((b"text", 200, 407), (MP4, 404, 404)):
        wanted = {"url": site.put(f"{code}.mp4", body, status)}
        asked[green.ask("VideoModeration", wanted, "videoDetection")[1]["Data"]["TaskId"]] = code
    clock.tick(seconds=30)
    for action, asked_for, code in (
        ("Video", task_id, 200),
        ("Voice", task_id, 409),
        ("Video", "vi_unknown", 409),
        ("Video", 5, 401),
        ("Video", "", 400),
        *(("Video", task_id, code) for task_id, code in asked.items()),
    ):
        assert result(f"{action}Moderation", asked_for)["Code"] == code
    assert green.server.billed == {"VideoModeration": 3}


def test_a_plan_is_for_a_result_only_by_its_name(green, submit, result, clock):
    green.plan(code=500, on="VideoModerationResult", times=1)
    green.plan(shape="no_parts", on="VoiceModeration", times=1)
    green.plan(verdict="risky", times=1)
    video, voice = submit("VideoModeration"), submit("VoiceModeration")
    clock.tick(seconds=30)
    assert result("VideoModeration", video)["Code"] == 500
    assert result("VideoModeration", video)["Data"]["RiskLevel"] == "high"
    assert "SliceDetails" not in result("VoiceModeration", voice)["Data"]
