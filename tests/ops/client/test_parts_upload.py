"""``manage.py invoke --upload`` of a large file, through the real function and the local OSS."""

import argparse
import json
import os
import stat
from contextlib import ExitStack

import jwt
import pytest
import requests

from ops.client import invoke, parts_upload
from ops.client.form_upload import UploadFailed
from ops.client.function_client import FunctionAnswer, FunctionSilent
from ops.client.parts_upload import LargeFile
from ops.client.unfinished import Record, record_of
from ops.terminal.screen import Screen
from tests.ops.client.conftest import start_cloud

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with ExitStack() as stack:
        yield start_cloud(stack, tmp_path_factory.mktemp("objects"), "anonymous")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """The folder of what is unfinished, and no waiting."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "oss-direct-upload"


@pytest.fixture
def video(tmp_path):
    """Five whole parts and a byte."""
    path = tmp_path / "旅行 trip.mp4"
    path.write_bytes(os.urandom(MIB) * 5 + b"x")
    return path


def run(cloud, *options):
    parser = argparse.ArgumentParser()
    invoke.add_arguments(parser)
    given = ["--url", cloud.gateway.origin, "--lang", "en", "--env-file", "/does/not/exist/.env", *options]
    return invoke.run(parser.parse_args(list(map(str, given))))


def upload(cloud, path):
    return run(cloud, "--profile", "video", "--upload", path)


def receipt_in(output):
    (line,) = [line for line in output.splitlines() if line.startswith("eyJ")]
    return jwt.decode(line, options={"verify_signature": False})


def stored(cloud, receipt):
    return requests.get(cloud.signed_url(receipt["key"]), timeout=60).content


def records(cache):
    return list(cache.glob("*.json")) if cache.exists() else []


def test_a_large_file_arrives_in_parts_and_whole(cloud, video, cache, capsys):
    assert upload(cloud, video) == 0
    receipt = receipt_in(capsys.readouterr().out)
    assert (receipt["size"], receipt["mimeType"], receipt["seen"]) == (5 * MIB + 1, "video/mp4", True)
    assert receipt["etag"].endswith("-6")
    assert stored(cloud, receipt) == video.read_bytes()
    assert records(cache) == []


def test_a_profile_of_the_second_bucket_gets_its_parts_there(cloud, tmp_path, capsys):
    path = tmp_path / "contract.pdf"
    path.write_bytes(os.urandom(MIB) * 5 + b"x")
    assert run(cloud, "--profile", "contract", "--upload", path) == 0
    receipt = receipt_in(capsys.readouterr().out)
    assert receipt["bucket"] == "local-archive"
    assert list(cloud.idle().archive.objects) == [receipt["key"]]
    assert stored(cloud, receipt) == path.read_bytes()


def test_a_smaller_file_and_one_of_a_profile_without_parts_go_by_a_form(cloud, tmp_path, begun):
    for name, size, profile, begins in (("a.mp4", 5 * MIB - 1, "video", 0), ("a.png", 5 * MIB, "default", 1)):
        path = tmp_path / name
        path.write_bytes(bytes(size))
        assert run(cloud, "--profile", profile, "--upload", path) == 0
        assert len(begun) == begins


@pytest.mark.parametrize(
    ("fault", "times", "call"),
    [
        *((fault, 4, "UploadPart") for fault in ("drop", "answer_lost", "status_500", "expired_url")),
        ("answer_lost", 1, "CompleteMultipartUpload"),
    ],
)
def test_a_call_that_fails_is_sent_again(cloud, video, capsys, monkeypatch, fault, times, call):
    monkeypatch.setattr(parts_upload, "WAITS_SECONDS", (0.0,) * 4)
    monkeypatch.setattr(parts_upload, "LONGEST_WAIT_SECONDS", 0.0)
    cloud.oss.faults.plan(fault, times=times, on=[call])
    assert upload(cloud, video) == 0
    assert stored(cloud, receipt_in(capsys.readouterr().out)) == video.read_bytes()


@pytest.fixture
def interrupted(cloud, video, monkeypatch):
    """Run an upload that Ctrl-C ends when so many parts have arrived."""

    def interrupt(parts):
        real, left = LargeFile._send, [parts]

        def send(self, begun, wanted):
            for outcome in real(self, begun, wanted):
                if left[0] == 0:
                    raise KeyboardInterrupt
                left[0] -= 1
                yield outcome

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(LargeFile, "_send", send)
            upload(cloud, video)

    return interrupt


@pytest.fixture
def begun(monkeypatch):
    """The uploads that were begun, in a list that grows."""
    begun, real = [], LargeFile.begin
    monkeypatch.setattr(LargeFile, "begin", lambda self, token: begun.append(self) or real(self, token))
    return begun


def test_after_ctrl_c_the_same_command_continues(cloud, video, cache, capsys, interrupted, begun):
    interrupted(3)
    capsys.readouterr()
    (record,) = records(cache)
    assert stat.S_IMODE(record.stat().st_mode) == 0o600
    assert upload(cloud, video) == 0
    assert len(begun) == 1
    assert stored(cloud, receipt_in(capsys.readouterr().out)) == video.read_bytes()
    assert records(cache) == []


@pytest.mark.parametrize("change", ["file changed", "upload aborted"])
def test_an_upload_that_cannot_continue_begins_again(cloud, video, cache, capsys, interrupted, begun, change):
    interrupted(2)
    capsys.readouterr()
    if change == "file changed":
        os.utime(video, ns=(1, 1))
    else:
        ticket = json.loads(records(cache)[0].read_text())["ticket"]
        requests.post(f"{cloud.gateway.origin}/multipart-abort", json={"ticket": ticket}, timeout=60)
    assert upload(cloud, video) == 0
    assert len(begun) == 2
    assert stored(cloud, receipt_in(capsys.readouterr().out)) == video.read_bytes()


def test_an_upload_that_was_complete_when_the_line_broke_gives_its_receipt(cloud, video, cache, capsys):
    assert upload(cloud, video) == 0
    first = capsys.readouterr().out
    # As if the last answer had never come: the record is still there.
    receipt = receipt_in(first)
    wanted = {"profile": "video", "filename": video.name, "size": 5 * MIB + 1}
    begun = requests.post(f"{cloud.gateway.origin}/multipart", json=wanted, timeout=60).json()
    for part in begun["parts"]:
        start = (part["number"] - 1) * begun["partSize"]
        data = video.read_bytes()[start : start + part["size"]]
        requests.put(part["url"], data=data, headers=begun["headers"], timeout=60).raise_for_status()
    done = requests.post(
        f"{cloud.gateway.origin}/multipart-complete", json={"ticket": begun["ticket"]}, timeout=60
    ).json()
    record_of(video, wanted, cloud.gateway.origin, os.environ).keep(begun)
    assert upload(cloud, video) == 0
    again = receipt_in(capsys.readouterr().out)
    assert again["jti"] == done["uploadId"] != receipt["jti"]
    assert records(cache) == []


def test_an_unreadable_record_is_ignored(cloud, video, cache, begun):
    wanted = {"profile": "video", "filename": video.name, "size": 5 * MIB + 1}
    record = record_of(video, wanted, cloud.gateway.origin, os.environ)
    for text in ("", "{", "[]", '{"ticket": 1, "partCount": 1}', '{"ticket": "x", "partCount": "y"}', "null"):
        record.path.parent.mkdir(parents=True, exist_ok=True)
        record.path.write_text(text)
        assert record.read() is None
    assert upload(cloud, video) == 0
    assert len(begun) == 1


def test_another_function_question_or_place_has_another_record(video, tmp_path):
    def name(wanted, place, **environ):
        return record_of(video, wanted, place, {"XDG_CACHE_HOME": str(tmp_path), **environ}).path

    first = name({"profile": "a"}, "https://one")
    assert first == name({"profile": "a"}, "https://one")
    assert len({first, name({"profile": "b"}, "https://one"), name({"profile": "a"}, "https://two")}) == 3
    assert first.parent == tmp_path / "oss-direct-upload"
    windows = record_of(video, {}, "x", {"LOCALAPPDATA": str(tmp_path / "w")}).path
    assert windows.parent == tmp_path / "w" / "oss-direct-upload"


def test_a_refusal_by_the_function_is_explained(cloud, tmp_path, capsys):
    path = tmp_path / "large.png"
    path.write_bytes(bytes(5 * MIB))
    assert run(cloud, "--profile", "video", "--upload", path) == 1
    assert "unsupported_type" in capsys.readouterr().err


def test_an_upload_with_refused_parts_keeps_its_record(cloud, video, cache, capsys, monkeypatch):
    monkeypatch.setattr(parts_upload, "WAITS_SECONDS", (0.0,) * 4)
    cloud.oss.faults.plan("expired_url", times=1000, on=["UploadPart"])
    assert upload(cloud, video) == 1
    shown = capsys.readouterr()
    assert "HTTP 403" in shown.err
    assert "x-oss-signature" not in shown.out + shown.err
    assert len(records(cache)) == 1
    cloud.oss.faults.clear()
    assert upload(cloud, video) == 0


@pytest.mark.parametrize(
    ("method", "change"),
    [("begin", lambda path: os.truncate(path, 5)), ("_finish", lambda path: path.unlink())],
)
def test_a_file_that_is_shortened_or_deleted_meanwhile_fails(
    cloud, video, capsys, monkeypatch, method, change
):
    real = getattr(LargeFile, method)
    monkeypatch.setattr(LargeFile, method, lambda self, *rest: change(self.path) or real(self, *rest))
    assert upload(cloud, video) == 1
    assert capsys.readouterr().err


class Scripted:
    """A function that answers in turn."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def ask(self, route, body, token):
        self.asked.append(route)
        answer = self.answers.pop(0)
        if answer is None:
            raise FunctionSilent(parts_upload.STOPPED)
        status, fields, *headers = answer
        return FunctionAnswer(status, json.dumps(fields), headers[0] if headers else {})


def large(function, tmp_path, waits):
    path = tmp_path / "a.mp4"
    path.write_bytes(bytes(10))
    record = Record(tmp_path / "record.json")
    return LargeFile(function, path, {}, record, Screen(), "en", waits.append)


DONE = (200, {"missing": 0, "parts": []})
BUSY = (503, {"error": {"code": "oss_unavailable"}}, {"retry-after": "7"})
FLOOD = (429, {"error": {"code": "too_many_requests"}}, {"retry-after": "3600"})


def test_a_call_is_retried_after_the_given_retry_after(tmp_path):
    waits = []
    file = large(Scripted(BUSY, FLOOD, None, DONE), tmp_path, waits)
    assert file._ask("multipart-parts", {}).json == DONE[1]
    assert waits == [7.0, 60.0, 4.0]


def test_a_function_that_stays_silent_is_given_up(tmp_path):
    waits = []
    with pytest.raises(FunctionSilent):
        large(Scripted(*[None] * 5), tmp_path, waits)._ask("multipart-parts", {})
    assert waits == [1.0, 2.0, 4.0, 8.0]


BEGUN = {"ticket": "t", "fileUrl": "https://o/a", "headers": {}, "partSize": 10, "partCount": 1}


@pytest.mark.parametrize("parts", [DONE, (409, {"error": {"code": "already_complete"}})])
def test_parts_missing_at_the_completion_are_sent_and_it_is_retried(tmp_path, parts):
    incomplete = (409, {"error": {"code": "incomplete", "missing": [1]}})
    function = Scripted(incomplete, parts, (200, {"status": "ok"}))
    large(function, tmp_path, [])._finish(BEGUN, [], 0)
    assert function.asked == ["multipart-complete", "multipart-parts", "multipart-complete"]


@pytest.mark.parametrize(
    "answer",
    [(200, {"ticket": "t"}), (200, {"missing": "x"}), (500, {})],
    ids=["a form", "no number", "a 500"],
)
def test_an_invalid_response_is_reported(tmp_path, answer):
    file = large(Scripted(answer), tmp_path, [])
    with pytest.raises(parts_upload.InvokeFailed):
        file.begin("")
    file.record.keep(BEGUN)
    file = large(Scripted(answer), tmp_path, [])
    with pytest.raises(parts_upload.InvokeFailed):
        file.go_on()


def test_a_failure_of_one_part_ends_the_sending(tmp_path):
    file = large(Scripted(), tmp_path, [])
    part = {"number": 1, "size": 11, "url": "http://127.0.0.1:9/"}
    with pytest.raises(UploadFailed):
        list(file._send(BEGUN, [part]))
    assert file.path.read_bytes() == bytes(10)
