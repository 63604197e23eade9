"""Answers of Green about a picture: only what is read whole, and says so throughout, passes or rejects."""

import json

import pytest

from function.config.green import REJECTED, prefixes_of
from function.http.client import HttpResponse
from function.moderation.aliyun_verdict import Verdict, data_of, not_checked, read_picture, unreadable
from function.moderation.finding import ALIYUN, ERRCODE, LABEL, MAX_LABEL, MAX_LABELS, Finding, Outcome
from function.oss.objects import MAX_RECORD_BYTES

PASS, RISKY, REVIEW, ERROR = Outcome.PASS, Outcome.RISKY, Outcome.REVIEW, Outcome.ERROR
ID = "A" * 22
NONE = {"Label": "nonLabel", "Description": "未检测出风险"}
BAD = {"Label": "pornographic_adultContent", "Confidence": 81, "Description": "成人色情"}
DEFAULT = prefixes_of([*REJECTED])


def answer(level="none", *results, code=200, status=200, **data):
    said = {"DataId": ID, "RiskLevel": level, "Result": [*results], **data}
    given = {name: value for name, value in said.items() if value is not ...}
    body = {"Msg": "OK", "Code": code, "RequestId": "ABCD", "Data": given}
    return HttpResponse(status, json.dumps(body).encode())


def data_as(data):
    return HttpResponse(200, json.dumps({"Msg": "OK", "Code": 200, "Data": data}).encode())


def read(response, rejected=DEFAULT):
    data = data_of(response, DataId=ID)
    return data if isinstance(data, Verdict) else read_picture(data, rejected)


def labelled(name, **more):
    return {"Label": name, "Confidence": 80.5, **more}


@pytest.mark.parametrize("level", ["none", "low"])
def test_a_harmless_picture_without_a_label_passes(level):
    found = read(answer(level, NONE))
    assert found == Verdict(PASS, Finding(LABEL, ALIYUN, "nonLabel", ("nonLabel",)))


@pytest.mark.parametrize(
    ("level", "result"),
    [
        ("high", labelled("political_x")),
        ("high", labelled("sexual_x")),
        ("high", labelled("unheard_of")),
        ("high", labelled("x_pornographic_y")),
        ("high", labelled("Pornographic_x")),
        ("high", labelled("pornographic_x", RiskLevel="medium")),
        ("medium", labelled("pornographic_x")),
        ("medium", labelled("pornographic_x", RiskLevel="high")),
        ("low", labelled("pornographic_x")),
        ("none", labelled("pornographic_x", RiskLevel="high")),
        ("none", labelled("nonLabel_lib")),
        ("none", labelled("nonlabel")),
        ("none", {**NONE, "RiskLevel": "high"}),
        ("low", {**NONE, "RiskLevel": "medium"}),
    ],
)
def test_any_other_risk_or_label_is_left_to_a_human(level, result):
    outcome, finding, _ = read(answer(level, result))
    assert (outcome, finding.reason, finding.label) == (REVIEW, LABEL, result["Label"])


def test_one_label_beside_nonlabel_prevents_a_pass():
    outcome, finding, _ = read(answer("low", NONE, labelled("logo_x")))
    assert (outcome, finding.label, finding.labels) == (REVIEW, "logo_x", ("nonLabel", "logo_x"))


def test_only_the_families_of_the_profile_are_rejected():
    response = answer("high", labelled("pornographic_x"))
    assert read(response, ("political_",)).outcome is REVIEW
    assert read(response, ()).outcome is REVIEW
    assert read(response, ("pornographic_x",)).outcome is RISKY


@pytest.mark.parametrize("confidence", [None, 0, 100, ...])
def test_a_confidence_of_at_most_100_is_valid(confidence):
    result = {"Label": "pornographic_x", "Confidence": confidence}
    if confidence is ...:
        del result["Confidence"]
    assert read(answer("high", result)).outcome is RISKY


@pytest.mark.parametrize("confidence", ["81", True, -0.01, 100.01, 101, float("nan"), [81]])
@pytest.mark.parametrize(("level", "label"), [("none", "nonLabel"), ("high", "pornographic_x")])
def test_any_other_confidence_is_left_to_a_human(confidence, level, label):
    assert read(answer(level, {"Label": label, "Confidence": confidence})) == unreadable()


SHAPELESS = ["", "HIGH", 0, []]
LABELS = [None, "", 5, "a b", "中文", "\ud800", "x" * 129, "a\n"]
RESULTS = [[], None, {"Label": "nonLabel"}, ["nonLabel"], ...]
OTHER_SHAPES = {
    **{f"label {each!r}"[:40]: answer("none", NONE, {"Label": each}) for each in LABELS},
    **{f"level {each!r}": answer(each, NONE) for each in [*SHAPELESS, None, "None", ...]},
    **{f"a label's level {each!r}": answer("none", {**NONE, "RiskLevel": each}) for each in SHAPELESS},
    **{f"results {each!r}": answer("none", Result=each) for each in RESULTS},
    **{f"data {each!r}": data_as(each) for each in [None, [], "none"]},
    "no data": HttpResponse(200, b'{"Code": 200}'),
}


@pytest.mark.parametrize("response", OTHER_SHAPES.values(), ids=OTHER_SHAPES)
def test_an_answer_of_another_shape_is_left_to_a_human(response):
    assert read(response) == unreadable()
    assert not read(response).is_forbidden


@pytest.mark.parametrize("id", ["B" * 22, ID.lower(), None, ...])
@pytest.mark.parametrize(("level", "result"), [("none", NONE), ("high", BAD)])
def test_an_answer_about_another_picture_checks_nothing(id, level, result):
    assert read(answer(level, result, DataId=id)) == not_checked()


def test_every_field_must_be_echoed():
    response = answer("none", NONE, TaskId="t")
    assert data_of(response, DataId=ID, TaskId="another") == not_checked()


@pytest.mark.parametrize("id", ["manual-1", 5])
@pytest.mark.parametrize(("level", "result"), [("none", NONE), ("high", BAD)])
def test_a_picture_in_review_at_aliyun_is_left_to_a_human(id, level, result):
    outcome, finding, _ = read(answer(level, result, ManualTaskId=id))
    assert (outcome, finding.labels) == (REVIEW, (result["Label"],))


@pytest.mark.parametrize("id", ["", None, ...])
def test_an_empty_manual_task_is_none(id):
    assert read(answer("none", NONE, ManualTaskId=id)).outcome is PASS


@pytest.mark.parametrize("code", [406, 407, 589, 590])
@pytest.mark.parametrize("status", [200, 400])
def test_a_file_that_green_cannot_look_at_is_left_to_a_human(code, status):
    found = read(answer(code=code, status=status))
    assert found == Verdict(REVIEW, Finding(ERRCODE, ALIYUN, errcode=code))


@pytest.mark.parametrize("status", [201, 400, 503])
def test_success_of_another_http_status_checks_nothing(status):
    assert read(answer("none", NONE, status=status)) == not_checked(200)


@pytest.mark.parametrize(
    "code",
    [408, 411, "NoPermission", "NoPermission.Ram", "Forbidden", "Forbidden.RAM", "Forbidden.NoPermission"],
)
@pytest.mark.parametrize("status", [200, 403])
def test_a_missing_right_is_recognized(code, status):
    assert read(answer(code=code, status=status)) == not_checked(code, is_forbidden=True)


@pytest.mark.parametrize("code", [None, True, 200.0, [], "", "a b", "x" * 81, 10**9, -(10**9)])
def test_a_code_of_another_shape_checks_nothing(code):
    assert read(answer("none", NONE, code=code)) == not_checked()


@pytest.mark.parametrize("body", [b"", b"<html>503</html>", b"null", b"[]", b"\xff\xfe", b"[" * 9000])
@pytest.mark.parametrize("status", [200, 503])
def test_a_body_without_an_object_checks_nothing(body, status):
    assert read(HttpResponse(status, body)) == not_checked()


def test_a_record_has_room_for_some_labels_only_and_all_of_them_count():
    names = [f"logo_{number}" for number in range(MAX_LABELS + 9)]
    outcome, finding, _ = read(answer("high", *map(labelled, [*names, *names, "drug_x"])))
    assert (outcome, finding.label) == (RISKY, "drug_x")
    assert finding.labels == tuple(names[:MAX_LABELS])


def test_the_longest_labels_leave_room_for_a_receipt_in_the_record_of_an_event():
    names = ["~" * (MAX_LABEL - 3) + f"{number:03}" for number in range(MAX_LABELS)]
    _, finding, _ = read(answer("high", *map(labelled, names)))
    event = json.dumps({"event": "review", "receipt": "x" * 4096, **finding.event})
    assert len(json.dumps({"body": event, "uploadId": "x" * 128, "trace": "x" * 55})) < MAX_RECORD_BYTES
