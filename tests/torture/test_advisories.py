"""The question about known vulnerabilities: each is a problem, and no answer is not an all-clear."""

import json

import pytest

from torture import advisories
from torture.broken_server import answers, serving


def pins():
    return advisories.pins_of((advisories.ROOT / "requirements.txt").read_text("utf-8"))


def ask(body, status=200):
    with serving(answers(status, body), lambda: b"") as origin:
        return advisories.run(f"{origin}/v1/querybatch")


def test_a_known_vulnerability_is_a_problem():
    results = [{"vulns": [{"id": "PYSEC-1"}]}, *({} for _ in pins()[1:])]
    result = ask(json.dumps({"results": results}).encode())
    assert result.problems == [f"known vulnerability: {pins()[0]}: PYSEC-1"]


def test_none_known_is_a_figure():
    result = ask(json.dumps({"results": [{} for _ in pins()]}).encode())
    assert (result.problems, result.figures[0][1]) == ([], "0")


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 503), (b"{", 200), (b"[]", 200), (b"{}", 200), (b'{"results": []}', 200)]
)
def test_no_answer_says_that_nothing_was_checked(body, status):
    result = ask(body, status)
    assert result.figures[0][1] == "not checked"
    assert result.notes
