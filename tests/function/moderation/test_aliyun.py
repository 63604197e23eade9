"""Calls of Green: who asks, how long, and what the log says of a failure."""

import json
import logging

import pytest

from function.http.client import ExchangeFailed, HttpResponse
from function.moderation.aliyun import check_picture, seconds_for_a_call
from function.moderation.aliyun_verdict import not_checked, unreadable
from function.moderation.finding import Outcome
from tests.function.moderation.green_world import ID, URL, profile_of, world_of


@pytest.fixture
def world(environment, clock, profiles_file):
    return world_of(environment, clock, profiles_file)


def checked(world, *answers, call=None):
    world.green.answers = [*answers]
    return check_picture(call or world.call(), profile_of(world), URL, ID)


@pytest.fixture
def errors(caplog):
    def said():
        return [json.loads(each.message) for each in caplog.records if each.levelno == logging.ERROR]

    return said


def test_a_picture_is_checked_as_documented(world):
    assert checked(world, "pass").outcome is Outcome.PASS
    (call,) = world.green.asked
    assert call[:3] == ("ImageModeration", "baselineCheck", {"imageUrl": URL, "dataId": ID})
    assert (
        call.query.items() >= {"Version": "2022-03-02", "RegionId": "cn-hangzhou", "Format": "JSON"}.items()
    )
    # The function's own role asks, and no session.
    assert call.query["AccessKeyId"] == world.environ["ALIBABA_CLOUD_ACCESS_KEY_ID"]


@pytest.mark.parametrize(
    ("endpoint", "region"),
    [
        ("https://green-cip.cn-shanghai.aliyuncs.com", "cn-shanghai"),
        ("https://green-cip-vpc.cn-beijing.aliyuncs.com", "cn-beijing"),
        ("http://127.0.0.1:9010", "cn-hangzhou"),
    ],
)
def test_the_region_is_that_of_the_endpoint(environment, clock, profiles_file, endpoint, region):
    world = world_of(environment, clock, profiles_file, GREEN_ENDPOINT=endpoint)
    world.others[endpoint.partition("//")[2].partition(":")[0]] = world.green.send
    checked(world, "pass")
    assert world.green.asked[0].query["RegionId"] == region


@pytest.mark.parametrize("left", [28.0, 7.6, 7.5, 3.4, 1.5])
def test_a_call_has_six_seconds_and_two_where_the_request_has_little_time(world, left):
    world.monotonic, world.call_seconds = lambda: 100.0, left
    call = world.call()
    seconds = seconds_for_a_call(call)
    expected = 6.0 if left > 7.5 else min(2.0, left - 1.5)
    assert seconds == pytest.approx(expected)


def test_the_seconds_of_a_check_count_for_no_other_budget(world):
    clock = [100.0]
    world.monotonic, world.call_seconds = lambda: clock[0], 28.0
    call = world.call()
    before = call.monotonic()

    def wait():
        clock[0] += 5.0

    world.green.happens = wait
    checked(world, "pass", call=call)
    checked(world, None, call=call)
    assert (call.monotonic() - before, call.seconds_left()) == (0.0, 18.0)


FAILED = [
    (None, "timed out, no valid answer"),
    (ExchangeFailed("ConnectionResetError"), "ConnectionResetError, no valid answer"),
    (HttpResponse(302, b""), "HTTP 302, no valid answer"),
    (HttpResponse(400, b'{"Code": "SignatureDoesNotMatch"}'), "HTTP 400, code SignatureDoesNotMatch"),
    ({"Code": 200, "Data": {"DataId": "another", "RiskLevel": "none"}}, "HTTP 200, no valid answer"),
    (403, "HTTP 200, code 403"),
    (588, "HTTP 200, code 588"),
]


@pytest.mark.parametrize(("answer", "reason"), FAILED, ids=lambda value: str(value)[:40])
def test_a_check_that_failed_is_logged_and_not_repeated(world, errors, answer, reason):
    call = world.call()
    assert checked(world, answer, call=call).outcome is Outcome.ERROR
    assert call.line.reason == f"ImageModeration: {reason}"
    assert call.aliyun_has_failed
    assert (len(world.green.asked), errors()) == (1, [])


def test_an_answer_above_4_mib_is_left_to_a_human_and_keeps_the_request_from_no_other(world):
    call = world.call()
    long = {
        "Code": 200,
        "Data": {"DataId": ID, "RiskLevel": "none", "Result": [{"Label": "x" * 4 * 1024**2}]},
    }
    assert checked(world, long, call=call) == unreadable()
    assert call.line.reason == "ImageModeration: response over the size limit"
    assert not call.aliyun_has_failed
    assert checked(world, "pass", call=call).outcome is Outcome.PASS


@pytest.mark.parametrize("code", [408, 411, "NoPermission", "Forbidden.RAM"])
def test_a_missing_right_is_an_error_line_that_names_it(world, errors, code):
    for _ in range(2):
        call = world.call()
        forbidden = not_checked(code, is_forbidden=True)
        assert checked(world, {"Code": code, "Message": "secret"}, call=call) == forbidden
        assert call.aliyun_has_failed
    for line in errors():
        assert line.pop("reason")
        assert line == {"check": "aliyun", "code": code, "right": "yundun-greenweb:ImageModeration"}
    assert len(errors()) == 2
