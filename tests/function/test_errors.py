"""errors: status, code and wait of each, as they are published."""

import pytest

from function import errors
from function.errors import Misconfigured, UploadError
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
