"""errors: status, code and wait of each, as they are published."""

import pytest

from function import errors
from function.errors import BadRequest, Misconfigured, Problem, StsUnavailable, UploadError
from tests.support.cases import table_beside

PUBLISHED = {name: tuple(row) for name, row in table_beside(__file__).items()}


def kinds(root=UploadError):
    """Every class that is raised, which are those with a code."""
    for kind in root.__subclasses__():
        if "code" in vars(kind):
            yield kind
        yield from kinds(kind)


def test_every_error_is_published():
    assert {kind.__name__ for kind in kinds()} == set(PUBLISHED)


@pytest.mark.parametrize("name", PUBLISHED)
def test_an_error_has_its_status_code_and_wait(name):
    kind = getattr(errors, name)
    error, plain = [kind([])] * 2 if kind is Misconfigured else [kind("A sentence."), kind("")]
    assert (error.status, error.code, error.retry_after) == PUBLISHED[name]
    assert (str(error), error.is_own) == (error.message, name == "OssUnavailable")
    assert str(plain) == kind.default_message


def test_a_given_sentence_wait_or_code_replaces_the_default():
    error = BadRequest()
    assert (error.message, error.reason, error.upstream, error.details) == ("", "", "", {})
    assert [Misconfigured([], **given).upstream for given in ({}, {"upstream": "No"})] == ["", "No"]
    assert errors.TooManyRequests("Slowly.", retry_after=7).retry_after == 7
    assert str(StsUnavailable("Another.")) == "Another."


def test_configuration_problems_go_to_the_log_only():
    error = Misconfigured([Problem("A", "A is missing"), Problem("B", "B is wrong")])
    assert error.problems == (("A", "A is missing", ""), ("B", "B is wrong", ""))
    assert error.reason == "A is missing; B is wrong"
    assert "missing" not in error.message
