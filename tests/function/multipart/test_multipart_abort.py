"""multipart.lifecycle: what was given up is gone, and what is an object by then stays."""

import pytest

from tests.support.memory_oss import BROKEN, DENIED, LOST, UNHEARD


def test_abort_leaves_nothing(phone, oss):
    begun = phone.begin()
    phone.send(begun)
    answer = phone.abort(begun["ticket"])
    assert (answer.status, answer.json) == (200, {"state": "aborted"})
    assert (oss.uploads, oss.objects) == ({}, {})


def test_abort_is_idempotent(phone, phone_of):
    begun = phone.begin()
    first = phone.abort(begun["ticket"])
    assert phone.abort(begun["ticket"]).text == first.text
    assert phone_of().abort(begun["ticket"]).text == first.text


def test_an_object_is_not_given_up(phone, oss):
    begun, done = phone.store_parts()
    assert phone.abort(begun["ticket"]).outcome == (409, "already_complete")
    assert list(oss.objects) == [begun["key"]]
    assert phone.complete(begun["ticket"]).json == done


def test_a_completion_that_was_faster_wins(phone, phone_of, oss):
    begun = phone.begin()
    phone.send(begun)
    oss.between["AbortMultipartUpload"] = lambda: phone_of().complete(begun["ticket"])
    assert phone.abort(begun["ticket"]).outcome == (409, "already_complete")


def test_another_upload_s_object_does_not_count_as_completed(phone, oss):
    begun, _ = phone.store_parts()
    headers = {**oss.objects[begun["key"]].headers, "x-oss-meta-upload-id": "B" * 22}
    oss.replace_object(begun["key"], headers=headers)
    assert phone.abort(begun["ticket"]).json == {"state": "aborted"}


@pytest.mark.parametrize("fault", [UNHEARD, LOST, BROKEN])
def test_an_unanswered_abort_is_retried_once(phone, oss, fault):
    begun = phone.begin()
    oss.fail("AbortMultipartUpload", fault)
    assert phone.abort(begun["ticket"]).json == {"state": "aborted"}
    assert oss.uploads == {}


@pytest.mark.parametrize("call", ["AbortMultipartUpload", "HeadObject"])
def test_an_abortion_that_cannot_be_made_out_is_no_abortion(phone, oss, call):
    begun, _ = phone.store_parts()
    oss.fail(call, UNHEARD, UNHEARD)
    assert phone.abort(begun["ticket"]).outcome == (503, "oss_unavailable")
    oss.fail(call, DENIED)
    assert phone.abort(begun["ticket"]).outcome == (502, "oss_rejected")
