"""moderation.wechat_verdict: every known shape of a verdict, and its outcome."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.moderation.finding import Outcome
from function.moderation.wechat_verdict import Verdict, read_verdict
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

TRACE = "60f96f1d-3845297a-1976a3ae"
VALID = {"strategy": "content_model", "errcode": 0, "suggest": "pass", "label": 100, "prob": 90}


def event(*without, **changes):
    """The documented event, passed, with these changes."""
    whole = {"ToUserName": "gh_xxxx", "FromUserName": "oxxxx", "CreateTime": 1626959646, "MsgType": "event"}
    whole |= {"Event": "wxa_media_check", "appid": "wx0123456789abcdef", "trace_id": TRACE, "version": 2}
    whole |= {
        "errcode": 0,
        "errmsg": "ok",
        "result": {"suggest": "pass", "label": 100},
        "detail": [dict(VALID)],
    }
    return {name: value for name, value in {**whole, **changes}.items() if name not in without}


def suggesting(suggest, label=100, **changes):
    return event(result={"suggest": suggest, "label": label}, **changes)


ERROR = Verdict(TRACE, Outcome.ERROR, None, -1)


def verdict_of(outcome, label=None, errcode=0):
    return Verdict(TRACE, Outcome[outcome], label, errcode)


@cases("without", "changes", "expected")
def test_known_verdicts_of_version_2_are_read(without, changes, expected):
    assert read_verdict(event(*without, **changes)) == verdict_of(*expected)


@cases("fields", "expected")
def test_known_verdicts_of_version_1_are_read(fields, expected):
    assert read_verdict({"trace_id": TRACE, **fields}) == verdict_of(*expected)


@pytest.mark.parametrize(
    "change",
    [{"isrisky": 1}, {"isrisky": "1"}, {"isrisky": True}]
    + [{"label": label} for label in (20001, "20002", 0, 101, True)],
    ids=str,
)
@pytest.mark.parametrize("where", ["result", "detail", "lone detail", "invalid detail", "event"])
def test_a_risk_or_label_beside_a_pass_goes_to_review(where, change):
    said = {**VALID, **change}
    changes = {
        "result": {"result": said},
        "detail": {"detail": [VALID, said]},
        "lone detail": {"detail": said},
        "invalid detail": {"detail": [VALID, {**said, "errcode": 5}]},
        "event": {name: value for name, value in change.items() if name == "isrisky"},
    }[where]
    outcome = read_verdict(event(**changes)).outcome
    assert outcome is (Outcome.REVIEW if changes else Outcome.PASS)


@pytest.mark.parametrize("is_risky", [None, 0, "0", False])
def test_a_pass_that_says_it_is_not_risky_is_a_pass(is_risky):
    said = {**VALID, "isrisky": is_risky, "label": "100"}
    assert read_verdict(event(isrisky=is_risky, result=said, detail=[said])).outcome is Outcome.PASS


@pytest.mark.parametrize("suggest", ["risky", "review"])
@pytest.mark.parametrize("changes", [{}, {"isrisky": 1}], ids=["details", "version 1"])
def test_nothing_beside_it_changes_another_verdict(suggest, changes):
    assert read_verdict(suggesting(suggest, **changes)).outcome.name.lower() == suggest


def test_an_invalid_detail_that_is_no_pass_has_no_say():
    invalid = {**VALID, "errcode": 5, "suggest": "risky", "label": 20001}
    assert read_verdict(event(detail=[VALID, invalid])).outcome is Outcome.PASS


WRONG = [True, 0.0, "", "0x0", "٣", [], {}, 10**40, "9" * 40]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: repr(wrong)[:12])
@pytest.mark.parametrize("name", ["errcode", "status_code"])
def test_a_code_of_the_wrong_type_is_an_error(name, wrong):
    assert read_verdict(event(**{name: wrong})) == ERROR


@pytest.mark.parametrize("wrong", [*WRONG, None, "passed", "pass risky", 0])
def test_an_unreadable_suggestion_is_an_error(wrong):
    assert read_verdict(suggesting(wrong)) == ERROR._replace(label=100)
    assert read_verdict(event(detail=[VALID, {**VALID, "suggest": wrong}])) == ERROR._replace(label=100)


@pytest.mark.parametrize(
    "detail",
    [*(True, "[]", [[]], [VALID, 1], [None], [VALID, "x"])]
    + [[VALID, {**VALID, "errcode": wrong}] for wrong in WRONG],
    ids=lambda detail: repr(detail)[-12:],
)
def test_details_of_a_wrong_type_are_an_error(detail):
    assert read_verdict(event(detail=detail)).outcome is Outcome.ERROR


@pytest.mark.parametrize("wrong", [True, "", None, 5, "../x", "a b", "é", "x\n", "x" * 129, "a.b"])
def test_an_event_without_a_valid_trace_id_is_no_verdict(wrong):
    assert read_verdict(event(trace_id=wrong)) is None
    assert read_verdict(event("trace_id")) is None
    assert read_verdict({}) is None


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["pass", "risky", "0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["suggest", "errcode", "label"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.not_for_coverage
@given(
    fields=st.dictionaries(
        st.sampled_from(["errcode", "result", "detail", "status_code", "isrisky"]), anything, max_size=5
    )
)
def test_only_a_consistent_pass_is_a_pass(fields):
    """Stated once more, in other words than the module's."""
    verdict = read_verdict({"trace_id": TRACE, **fields})
    if verdict.outcome is not Outcome.PASS:
        return
    assert fields.get("errcode") in (None, 0, "0", "-0", "00") or str(fields["errcode"]).strip("-0") == ""
    assert fields["result"]["suggest"].strip().lower() == "pass"
    detail = fields.get("detail") or []
    for entry in [detail] if isinstance(detail, dict) else detail:
        said = (entry.get("suggest") or "").strip().lower() if isinstance(entry.get("suggest"), str) else ""
        is_invalid = entry.get("errcode") is not None and str(entry["errcode"]).strip("-0") != ""
        assert said == "pass" or is_invalid


def test_exactly_one_combination_of_fields_publishes():
    suggestions, codes = ("pass", "risky", "review", "?"), (None, 0, 1)

    def passes(errcode, result, detail, code):
        said = {"suggest": detail, "errcode": code}
        pushed = event(errcode=errcode, result={"suggest": result}, detail=[said])
        return read_verdict(pushed).outcome is Outcome.PASS

    choices = itertools.product(codes, suggestions, suggestions, codes)
    passed = [choice for choice in choices if passes(*choice)]
    assert passed == [(top, "pass", "pass", code) for top in (None, 0) for code in (None, 0)]
