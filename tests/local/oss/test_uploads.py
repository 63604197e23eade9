"""Uploads in parts that have begun and are not over."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from local.oss.answer import Answer
from local.oss.attributes import Attributes
from local.oss.errors import OssError
from local.oss.part_refusals import NO_UPLOAD
from local.oss.uploads import Part, Uploads

NOW = datetime(2026, 11, 24, 14, tzinfo=UTC)
ATTRIBUTES = Attributes("video/mp4", None, "Standard", forbid_overwrite=False)


@pytest.fixture
def uploads():
    return Uploads()


def part(folder, number, content=b"x"):
    path = folder / f"part-{number}-{content.decode()}"
    path.write_bytes(content)
    return Part(number, len(content), "E", NOW, path)


def is_known(uploads, key, upload_id):
    try:
        with uploads.held(key, upload_id, NO_UPLOAD):
            return True
    except OssError as error:
        assert (error.refusal, error.details) == (NO_UPLOAD, {"UploadId": upload_id})
        return False


def test_an_upload_is_known_by_its_id_and_its_key_together(uploads):
    upload = uploads.begin("a", ATTRIBUTES, NOW, is_sequential=False)
    assert is_known(uploads, "a", upload.id)
    assert not is_known(uploads, "b", upload.id)
    assert not is_known(uploads, "a", "0")


def test_an_upload_that_is_over_is_unknown_and_its_parts_are_gone(uploads, tmp_path):
    upload = uploads.begin("a", ATTRIBUTES, NOW, is_sequential=False)
    with uploads.held("a", upload.id, NO_UPLOAD) as held:
        held.keep(part(tmp_path, 1))
        held.keep(part(tmp_path, 2))
        uploads.end(held)
    assert not is_known(uploads, "a", upload.id)
    assert list(uploads) == list(tmp_path.iterdir()) == []


def test_a_part_replaces_an_earlier_one(uploads, tmp_path):
    upload = uploads.begin("a", ATTRIBUTES, NOW, is_sequential=False)
    upload.keep(part(tmp_path, 1, b"old"))
    upload.keep(part(tmp_path, 1, b"new"))
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]


def test_uploads_are_listed_by_key_and_then_by_age(uploads):
    begun = [
        uploads.begin(key, ATTRIBUTES, NOW + timedelta(seconds=age), is_sequential=False)
        for key, age in (("b", 1), ("a", 3), ("a", 2))
    ]
    assert [upload.id for upload in uploads] == [begun[2].id, begun[1].id, begun[0].id]


def test_a_call_waiting_for_a_completion_sees_the_upload_ended(uploads):
    upload = uploads.begin("a", ATTRIBUTES, NOW, is_sequential=False)
    outcome = []
    with uploads.held("a", upload.id, NO_UPLOAD) as held:
        waiting = threading.Thread(target=lambda: outcome.append(is_known(uploads, "a", upload.id)))
        waiting.start()
        waiting.join(0.05)
        assert outcome == []
        uploads.end(held)
    waiting.join(5)
    assert outcome == [False]


def test_the_latest_completion_responses_are_kept(uploads, monkeypatch):
    monkeypatch.setattr("local.oss.uploads.ANSWERS_KEPT", 2)
    begun = [uploads.begin("a", ATTRIBUTES, NOW, is_sequential=False) for _ in range(3)]
    for number, upload in enumerate(begun):
        uploads.end(upload, Answer(200 + number))
    kept = [uploads.answer_of("a", upload.id) for upload in begun]
    assert [answer and answer.status for answer in kept] == [None, 201, 202]
    assert uploads.answer_of("b", begun[2].id) is None
