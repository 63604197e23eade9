"""wechat.verdict: every known shape of a verdict, and its outcome."""

import itertools

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.wechat.verdict import EVENT, Outcome, Verdict, read_verdict

TRACE = "60f96f1d-3845297a-1976a3ae"
VALID = {"strategy": "content_model", "errcode": 0, "suggest": "pass", "label": 100, "prob": 90}


def event(*without, **changes):
    """The event of the documentation, passed, with these changes."""
    whole = {
        "ToUserName": "gh_xxxx",
        "FromUserName": "oxxxx",
        "CreateTime": 1626959646,
        "MsgType": "event",
        "Event": "wxa_media_check",
        "appid": "wx0123456789abcdef",
        "trace_id": TRACE,
        "version": 2,
        "errcode": 0,
        "errmsg": "ok",
        "result": {"suggest": "pass", "label": 100},
        "detail": [dict(VALID)],
        **changes,
    }
    return {name: value for name, value in whole.items() if name not in without}


def suggesting(suggest, label=100, **changes):
    return event(result={"suggest": suggest, "label": label}, **changes)


PASS = Verdict(TRACE, Outcome.PASS, 100)
ERROR = Verdict(TRACE, Outcome.ERROR, None, -1)
SEEN = {
    "as documented": (event(), PASS),
    "risky, as documented": (
        event(
            result={"suggest": "risky", "label": 20001},
            detail=[{**VALID, "suggest": "risky", "label": 20006}],
        ),
        Verdict(TRACE, Outcome.RISKY, 20001),
    ),
    "review": (suggesting("review", 21000), Verdict(TRACE, Outcome.REVIEW, 21000)),
    "label as text, no top-level errcode": (
        event("errcode", "errmsg", result={"suggest": "pass", "label": "100"}),
        PASS,
    ),
    "errcode as text": (event(errcode="0"), PASS),
    "errcode null": (event(errcode=None), PASS),
    "no detail": (event("detail"), PASS),
    "detail null": (event(detail=None), PASS),
    "no details": (event(detail=[]), PASS),
    "one detail that is no list": (event(detail=dict(VALID)), PASS),
    "detail without errcode": (event(detail=[{"suggest": "pass"}]), PASS),
    "a detail that is not valid beside one that is": (
        event(detail=[VALID, {"errcode": -1, "suggest": "risky"}]),
        PASS,
    ),
    "spaces and capitals": (suggesting(" Pass\n"), PASS),
    "no label": (event(result={"suggest": "pass"}), Verdict(TRACE, Outcome.PASS)),
    "not downloaded": (
        event("result", errcode=-1008, errmsg="下载错误", detail=[]),
        Verdict(TRACE, Outcome.ERROR, None, -1008),
    ),
    "not downloaded, as text": (event("result", errcode="-1008"), Verdict(TRACE, Outcome.ERROR, None, -1008)),
    "no permission": (event("result", errcode=43104, detail=[]), Verdict(TRACE, Outcome.ERROR, None, 43104)),
    "an error beside a pass": (event(errcode=-1), Verdict(TRACE, Outcome.ERROR, None, -1)),
    "an error beside a risky": (suggesting("risky", errcode=1), Verdict(TRACE, Outcome.ERROR, None, 1)),
    "no result": (event("result"), ERROR),
    "version 1, risky": (
        {"trace_id": TRACE, "isrisky": 1, "extra_info_json": "", "status_code": 0},
        Verdict(TRACE, Outcome.RISKY),
    ),
    "version 1, risky as text": ({"trace_id": TRACE, "isrisky": "1"}, Verdict(TRACE, Outcome.RISKY)),
    "version 1 says yes to anything": ({"trace_id": TRACE, "isrisky": 0, "status_code": 0}, ERROR),
    "version 1, not downloaded": (
        {"trace_id": TRACE, "isrisky": 0, "status_code": 4294966288},
        Verdict(TRACE, Outcome.ERROR, None, -1008),
    ),
    "version 1, not downloaded, signed": (
        {"trace_id": TRACE, "isrisky": 1, "status_code": -1008},
        Verdict(TRACE, Outcome.ERROR, None, -1008),
    ),
    "version 1, the largest code that has no sign": (
        {"trace_id": TRACE, "isrisky": 1, "status_code": 2**31 - 1},
        Verdict(TRACE, Outcome.ERROR, None, 2**31 - 1),
    ),
    "version 1, the smallest code that has one": (
        {"trace_id": TRACE, "isrisky": 1, "status_code": 2**31},
        Verdict(TRACE, Outcome.ERROR, None, -(2**31)),
    ),
}


@pytest.mark.parametrize(("pushed", "verdict"), SEEN.values(), ids=SEEN)
def test_what_has_been_seen_is_read(pushed, verdict):
    assert read_verdict(pushed) == verdict


@pytest.mark.parametrize("suggest", ["risky", "review"])
@pytest.mark.parametrize("at", [0, 1])
def test_a_pass_with_a_valid_detail_that_says_otherwise_is_for_a_human(suggest, at):
    detail = [dict(VALID), dict(VALID)]
    detail[at]["suggest"] = suggest
    assert read_verdict(event(detail=detail)) == Verdict(TRACE, Outcome.REVIEW, 100)


def test_a_pass_of_which_no_detail_is_valid_is_for_a_human():
    detail = [{**VALID, "errcode": -1}, {**VALID, "errcode": 5}]
    assert read_verdict(event(detail=detail)).outcome is Outcome.REVIEW


@pytest.mark.parametrize("suggest", ["risky", "review"])
def test_details_that_pass_change_no_other_verdict(suggest):
    assert read_verdict(suggesting(suggest)).outcome.name.lower() == suggest


WRONG = [True, False, 0.0, 1.5, "", "x", "0x0", "٣", [], [0], {}, {"a": 1}, 10**40, "9" * 40]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: repr(wrong)[:12])
@pytest.mark.parametrize("name", ["errcode", "status_code"])
def test_a_code_of_the_wrong_type_is_an_error(name, wrong):
    assert read_verdict(event(**{name: wrong})) == ERROR


@pytest.mark.parametrize("wrong", [*WRONG, None, "passed", "pass risky", "ok", 0, 1])
def test_a_suggestion_that_cannot_be_read_is_an_error(wrong):
    assert read_verdict(suggesting(wrong)) == ERROR._replace(label=100)
    assert read_verdict(event(detail=[VALID, {**VALID, "suggest": wrong}])) == ERROR._replace(label=100)


@pytest.mark.parametrize("wrong", [*WRONG[:11], "pass", 0, 1, None])
def test_a_result_of_the_wrong_type_is_an_error(wrong):
    assert read_verdict(event(result=wrong)) == ERROR


@pytest.mark.parametrize(
    "wrong", [True, False, 0, 1.5, "", "[]", [[]], [VALID, 1], [None], [VALID, "x"]], ids=repr
)
def test_details_of_the_wrong_type_are_an_error(wrong):
    assert read_verdict(event(detail=wrong)).outcome is Outcome.ERROR


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: repr(wrong)[:12])
def test_a_detail_whose_code_cannot_be_read_is_no_detail_to_leave_out(wrong):
    assert read_verdict(event(detail=[VALID, {**VALID, "errcode": wrong}])).outcome is Outcome.ERROR


@pytest.mark.parametrize("wrong", [*WRONG, None], ids=lambda wrong: repr(wrong)[:12])
def test_a_label_of_the_wrong_type_is_none(wrong):
    assert read_verdict(suggesting("risky", wrong)) == Verdict(TRACE, Outcome.RISKY)


@pytest.mark.parametrize(
    "wrong", [*WRONG[:5], [], None, 5, "a/b", "../x", "a b", "é", "x\n", "x" * 129, ".", "a.b"]
)
def test_what_names_no_check_is_no_verdict(wrong):
    assert read_verdict(event(trace_id=wrong)) is None


def test_the_event_is_called_as_it_is_documented():
    assert event()["Event"] == EVENT


def test_nothing_says_what_it_is_about():
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


@effort(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    fields=st.dictionaries(
        st.sampled_from(["errcode", "result", "detail", "status_code", "isrisky"]), anything, max_size=5
    )
)
def test_a_pass_is_never_made_of_anything_else(fields):
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


def test_of_all_combinations_exactly_one_kind_publishes():
    choices = list(
        itertools.product(
            [None, 0, 1], ["pass", "risky", "review", "?"], ["pass", "risky", "review", "?"], [None, 0, 1]
        )
    )
    passed = [
        choice
        for choice in choices
        if read_verdict(
            event(
                errcode=choice[0],
                result={"suggest": choice[1]},
                detail=[{"suggest": choice[2], "errcode": choice[3]}],
            )
        ).outcome
        is Outcome.PASS
    ]
    assert passed == [(top, "pass", "pass", code) for top in (None, 0) for code in (None, 0)]
