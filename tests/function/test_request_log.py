"""The log line of a request, and what it must not contain."""

import logging
import re
import sys
import time

import pytest

from function.app import Function
from function.context import Dependencies
from function.request_log import LogLine, readable_traceparent, to_standard_output
from tests.support.cases import cases_beside
from tests.support.stage import ask_event

cases = cases_beside(__file__)

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_each_request_logs_one_json_line_with_the_documented_fields(instance, good_sts, log_lines):
    function = instance()
    body = function.ask(body={"filename": "a.png"}).json
    function.ask(body={"filename": "a.png"})
    function.ask(body="[")
    first, second, third = log_lines()
    expected = {"requestId": "1-65f0-abc", "route": "upload-params", "status": 200, "code": None, "ms": 0}
    expected |= {"profile": "default", "owner": "public", "key": body["key"], "uploadId": body["uploadId"]}
    expected["stsRefreshed"] = True
    assert first | {"ms": 0} == {**expected, "cold": True}
    assert set(third) == set(expected)
    assert second["stsRefreshed"] is False
    assert (third["status"], third["code"]) == (400, "bad_request")


@cases("known", "name", "value")
def test_optional_fields_are_logged_only_where_they_are_set(log_lines, known, name, value):
    plain, special = LogLine("1"), LogLine("2")
    setattr(special, known, value)
    special.due = 0
    for line in (plain, special):
        line.write(200, 1.5)
    before, after = log_lines()
    more = {"due": 0, "left": 0, name: list(value) if known == "state" else value}
    assert {**before, "requestId": "2", **more} == after
    assert name not in before


def test_the_traceparent_of_a_request_is_logged(instance, good_sts, log_lines):
    function = instance()
    function.ask(headers={"Traceparent": TRACEPARENT})
    function.ask(headers={"Traceparent": "whatever\n"})
    assert [line.get("traceparent") for line in log_lines()] == [TRACEPARENT, None]


def test_the_line_of_several_files_has_lists(instance, good_sts, log_lines):
    files = [{"filename": "a.png"}, {"filename": "b.mp4", "profile": "video"}]
    uploads = instance().ask(body={"files": files}).json["uploads"]
    (line,) = log_lines()
    assert line["profile"] == ["default", "video"]
    assert line["key"] == [upload["key"] for upload in uploads]
    assert line["uploadId"] == [upload["uploadId"] for upload in uploads]


def test_the_line_has_the_duration_in_milliseconds(instance, log_lines, monkeypatch):
    seconds, function = iter([5.0, 5.123456] * 2), instance()
    monkeypatch.setattr(time, "perf_counter", lambda: next(seconds))
    function.ask(method="GET", path="/health")
    function.function.tick(None)
    monkeypatch.undo()
    assert [(line["ms"], line.get("cold")) for line in log_lines()] == [(123.46, True), (123.46, None)]


@cases("changes", "fields", "level")
def test_only_5xx_responses_are_logged_as_errors(instance, caplog, changes, fields, level):
    caplog.set_level("DEBUG", logger="oss_direct_upload")
    instance(**changes).ask(**fields)
    (record,) = [record for record in caplog.records if record.name == "oss_direct_upload"]
    assert record.levelname == level


@cases("level", "written")
def test_lines_below_the_log_level_are_not_written(instance, good_sts, log_lines, level, written):
    function = instance(LOG_LEVEL=level)
    assert function.ask(body={"filename": "a.png"}).status == 200
    function.clock.instant = None
    assert function.ask(body={"filename": "a.png"}).status == 500
    assert [line["status"] for line in log_lines()] == list(written)


class Standard:
    """Standard output that counts the calls of its methods, and may be closed."""

    def __init__(self, error=None):
        self.calls, self.error = [], error

    def write(self, text):
        self.calls.append(text)
        if self.error:
            raise self.error

    def flush(self):
        self.calls.append("flush")


@pytest.fixture
def deployed(environment, clock, monkeypatch, good_sts):
    """Return a function with the writer of the deployed one, and its standard output."""
    logging.getLogger("oss_direct_upload").setLevel(logging.INFO)

    def build(error=None, **changes):
        output = Standard(error)
        monkeypatch.setattr(sys, "stdout", output)
        environ = {**environment, **changes}
        return Function(Dependencies(environ, now=clock, write_line=to_standard_output)), output

    return build


def test_a_line_on_standard_output_is_like_the_runtime_s_and_written_in_one_piece(deployed, event, caplog):
    function, output = deployed()
    for body in ({"filename": "a.png"}, "["):
        ask_event(function, event(body), None)
    function.tick(None)
    lines = output.calls[::2]
    assert output.calls[1::2] == ["flush"] * 3 and not caplog.records
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [\w-]+ \[INFO\] \{.*\}\n", line)
    assert " 1-65f0-abc [INFO] " in lines[0]


def test_a_5xx_on_standard_output_is_an_error(deployed, event):
    function, output = deployed(OSS_BUCKET="")
    ask_event(function, event({"filename": "a.png"}), None)
    assert " [ERROR] {" in output.calls[0]


@pytest.mark.parametrize("error", [BrokenPipeError(), ValueError("closed")])
def test_a_log_that_cannot_be_written_fails_no_request(deployed, event, error):
    function, output = deployed(error)
    assert ask_event(function, event({"filename": "a.png"}), None).status == 200
    assert len(output.calls) == 1


def test_a_line_below_the_level_is_not_written_to_standard_output(deployed, event):
    function, output = deployed(LOG_LEVEL="ERROR")
    ask_event(function, event({"filename": "a.png"}), None)
    assert output.calls == []


def test_the_log_has_no_event_token_policy_or_secret(instance, good_sts, caplog):
    caplog.set_level("DEBUG")
    answer = instance(LOG_LEVEL="DEBUG").ask(
        body={"filename": "name-canary.png"}, headers={"Authorization": "Bearer header-canary"}
    )
    assert answer.status == 200
    for canary in ("canary", "Canary", "CAISRole", answer.json["formData"]["policy"]):
        assert canary not in caplog.text
    assert "SecretCanary" not in answer.text


def test_a_log_line_contains_no_line_separators(instance, good_sts, log_lines, caplog, profiles_file):
    profile = '[default]\nkey = "a\u2028\u2029/{id}"\nmax_size = 1\ncontent_types = ["image/png"]\n'
    assert instance(PROFILES_FILE=profiles_file(profile)).ask(body={}).status == 200
    (line,) = [record.getMessage() for record in caplog.records if '"key":"' in record.getMessage()]
    assert line.isascii() and len(line.splitlines()) == 1
    assert log_lines()[-1]["key"].startswith("a\u2028\u2029/")


@cases("given", "read")
def test_a_valid_traceparent_is_read_without_additions_of_later_versions(given, read):
    assert readable_traceparent(given) == read
