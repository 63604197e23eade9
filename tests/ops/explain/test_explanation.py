"""Errors that ``explain`` reads, in both languages."""

import json
import re

import pytest

from ops.explain.advice import advice_rows, condition_remedy, find_advice
from tests.docs.markdown import both, page
from tests.ops.explain.pastes import error_xml, said
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


def is_told(advice, text, language):
    """Whether meaning and remedy of a row are in an explanation."""
    return advice.meaning.say(language) in text and advice.remedy.say(language) in text


def id_of(advice):
    """The fragment, else the EC, that singles a row of one code out."""
    return (*advice.fragments, *advice.ecs, "")[0]


@pytest.mark.parametrize("language", ["en", "zh"])
@cases("code", "message", "ec", "row")
def test_an_error_of_oss_is_explained_by_its_own_row(code, message, ec, row, language):
    advice = find_advice(code, message, ec)
    assert id_of(advice) == row
    assert is_told(advice, said(error_xml(code, message, ec), language), language)


def test_each_row_of_the_tables_is_found_by_its_code_with_its_text_or_its_ec():
    for row in advice_rows():
        for code in row.codes or [""]:
            assert all(find_advice(code, f"It says: {text.upper()}", "") is row for text in row.fragments)
            assert all(find_advice(code, "", ec) is row for ec in row.ecs)


@pytest.mark.parametrize("language", ["en", "zh"])
@cases("message", "row")
def test_a_text_of_the_mini_program_is_explained_by_its_own_row(message, row, language):
    advice = find_advice("platform", message)
    assert advice is find_advice(row)
    for pasted in (message, json.dumps({"errMsg": message, "errno": 600000}, ensure_ascii=False)):
        assert is_told(advice, said(pasted, language), language)


@pytest.mark.parametrize(
    ("failed", "field"),
    [
        ('["eq", "$success_action_status", "200"]', "success_action_status"),
        ('["in", "$content-type"]', "content-type"),
    ],
)
def test_a_failed_condition_gets_the_remedy_of_its_field(failed, field):
    text = said(error_xml("AccessDenied", f"Invalid according to Policy: Policy Condition failed: {failed}"))
    assert condition_remedy(field).en in text


EXPIRED = find_advice("AccessDenied", "", "0006-00000213")
HEADERS = "HTTP/1.1 403 Forbidden\r\nx-oss-request-id: 1\r\nx-oss-ec: 0006-00000213\r\n\r\n"
CONTINUED = "HTTP/1.1 100 Continue\r\n\r\n" + HEADERS + error_xml("AccessDenied", "something")


@pytest.mark.parametrize("dump", [HEADERS.replace("\r", ""), CONTINUED.replace("<EC></EC>", "")])
def test_reads_the_dump_of_curl(dump):
    text = said(dump)
    assert "403" in text
    assert is_told(EXPIRED, text, "en")


def test_the_developer_tools_output_of_wx_upload_file_is_read():
    pasted = json.dumps({"statusCode": 203, "data": error_xml("CallbackFailed", "Error status : 502.")})
    assert is_told(find_advice("CallbackFailed", "Error status : 502."), said(pasted), "en")


@cases("pasted", "piece")
def test_explains_errors_of_the_function_and_of_sts(pasted, piece):
    assert piece in said(json.dumps(pasted))


@pytest.mark.parametrize("pasted", [
    "HTTP/1.1 204 No Content\r\nETag: x\r\n\r\n",
    "<PostResponse><Key>a</Key></PostResponse>",
    '{"status": "ok", "receipt": "CANARY"}',
    '{"key": "CANARY", "state": "held"}',
])  # fmt: skip
def test_an_answer_without_an_error_is_said_to_be_one_and_is_not_printed(pasted):
    assert len(said(pasted).splitlines()) == 1 and "CANARY" not in said(pasted)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(("code", "about"), [("quota_exceeded", "errors"), ("device_full", "client")])
def test_a_code_is_explained_from_the_table_of_its_page(code, about, language):
    name = both(f"docs/{about}.md")[language == "zh"]
    (row,) = [line for line in page(name).splitlines() if re.match(rf"\|( \d+ \|)? `{code}` ", line)]
    text = said(code, language)
    assert all(cell[1:] in text for cell in row.strip("| ").split(" | ")[2:4])


@pytest.mark.parametrize("code", ["ResourceExhausted", "ResourceThrottled"])
@pytest.mark.parametrize(
    "names", [("Code", "Message"), ("errorCode", "errorMessage"), ("ErrorCode", "ErrorMessage")]
)
def test_a_refusal_of_function_compute_is_explained_in_each_of_its_forms(code, names):
    pasted = json.dumps(dict(zip(names, (code, "limit reached"), strict=True)))
    assert is_told(find_advice(code), said(pasted), "en")
