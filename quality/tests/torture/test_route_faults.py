"""The whole matrix of routes that ask OSS, and that it notices a handling line that is gone."""

import pytest

from function.errors import AlreadyComplete, UploadGone
from function.multipart import lifecycle
from function.oss import multipart
from quality.torture import route_faults
from quality.torture.route_faults import FAULTS, SITUATIONS, Cell, cells, failure

pytestmark = pytest.mark.usefixtures("quiet")


def test_every_fault_of_every_call_of_every_route_ends_as_documented_and_is_made_good():
    result = route_faults.run()
    assert result.problems == []
    assert result.totals == {"faults tried": 238, "faults survived": 238}


@pytest.mark.parametrize(
    "route", ["multipart-complete", "multipart-abort", "multipart-parts", "confirm", "upload-params"]
)
def test_each_route_meets_each_fault_at_each_call(route):
    tried = [cell for cell in cells() if SITUATIONS[cell.situation].route == route]
    for call in {cell.call for cell in tried}:
        assert {cell.fault for cell in tried if cell.call == call} == set(FAULTS)


def test_the_calls_are_those_that_the_routes_make():
    tried = {(SITUATIONS[cell.situation].route, cell.call) for cell in cells()}
    assert tried == {
        ("multipart-complete", "ListParts"),
        ("multipart-complete", "CompleteMultipartUpload"),
        ("multipart-complete", "HeadObject"),
        ("multipart-abort", "AbortMultipartUpload"),
        ("multipart-abort", "HeadObject"),
        ("multipart-parts", "ListParts"),
        ("multipart-parts", "HeadObject"),
        ("confirm", "HeadObject"),
        ("upload-params", "HeadObject"),
    }


def test_a_lost_answer_shows_where_nothing_may_be_sent_twice_alone():
    shown = {cell.call for cell in cells() if (cell.fault, cell.strikes) == ("lost", 1) and failure(cell)}
    assert shown == {"CompleteMultipartUpload"}


def no_second_look(oss, upload, **_options):
    """A completion that takes "no such upload" for the end."""
    if lifecycle.list_parts(oss, upload.key, upload.oss_id) is None:
        raise UploadGone
    return COMPLETE_UPLOAD(oss, upload, acl="private", forbid_overwrite=True)


def no_look_at_all(oss, upload):
    """An abort that takes what is gone for a completion."""
    if not multipart.abort(oss, upload.key, upload.oss_id):
        raise AlreadyComplete


def twice(oss, name, method, key, **options):
    return CALL(oss, name, method, key, **{**options, "is_repeatable": True})


def once(oss, name, method, key, **options):
    return CALL(oss, name, method, key, **{**options, "is_repeatable": False})


COMPLETE_UPLOAD, CALL = lifecycle.complete_upload, multipart.call


@pytest.mark.parametrize(
    ("where", "name", "wrong", "situation", "call"),
    [
        ("function.routes.multipart", "complete_upload", no_second_look, "completed", "ListParts"),
        ("function.routes.multipart", "abort_upload", no_look_at_all, "aborted", "AbortMultipartUpload"),
        ("function.oss.multipart", "call", twice, "completed", "CompleteMultipartUpload"),
        ("function.oss.multipart", "call", once, "gone on with", "ListParts"),
        ("function.oss.objects", "call", once, "confirmed", "HeadObject"),
        ("function.uploads.deduplication", "UploadError", KeyError, "stored already", "HeadObject"),
    ],
)
def test_a_handling_that_is_gone_is_a_problem(monkeypatch, where, name, wrong, situation, call):
    monkeypatch.setattr(f"{where}.{name}", wrong)

    def is_tried(cell: Cell) -> bool:
        return (cell.situation, cell.call) == (situation, call)

    assert route_faults.run(is_tried).problems
