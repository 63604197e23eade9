"""multipart.lifecycle: what was given up is gone, and what is an object by then stays."""

import pytest

from tests.support.memory_oss import DENIED, UNHEARD


def test_abort_leaves_nothing_and_may_be_repeated(phone, phone_of, oss):
    begun = phone.begin()
    phone.send(begun)
    answer = phone.abort(begun["ticket"])
    assert (answer.status, answer.json) == (200, {"state": "aborted"})
    assert (oss.uploads, oss.objects) == ({}, {})
    assert phone_of().abort(begun["ticket"]).text == answer.text


def test_an_object_is_not_given_up(phone, oss):
    begun, done = phone.store_parts()
    assert phone.abort(begun["ticket"]).outcome == (409, "already_complete")
    assert list(oss.objects) == [begun["key"]]
    assert phone.complete(begun["ticket"]).json == done


def test_another_upload_s_object_does_not_count_as_completed(phone, oss):
    begun, _ = phone.store_parts()
    headers = {**oss.objects[begun["key"]].headers, "x-oss-meta-upload-id": "B" * 22}
    oss.replace_object(begun["key"], headers=headers)
    assert phone.abort(begun["ticket"]).json == {"state": "aborted"}


@pytest.mark.parametrize("call", ["AbortMultipartUpload", "HeadObject"])
def test_an_abortion_that_cannot_be_made_out_is_no_abortion(phone, oss, call):
    begun, _ = phone.store_parts()
    oss.fail(call, UNHEARD, UNHEARD)
    assert phone.abort(begun["ticket"]).outcome == (503, "oss_unavailable")
    oss.fail(call, DENIED)
    assert phone.abort(begun["ticket"]).outcome == (502, "oss_rejected")
