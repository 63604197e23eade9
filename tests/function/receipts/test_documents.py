"""The pages show the answer to a callback and the claims of a receipt as they really are."""

import json

import pytest

from function.tokens import RECEIPT, read_token
from tests.docs.markdown import both, code_blocks, page

SECRET = "token-secret-canary-0123456789abcdef"


def shown_on(name):
    return [json.loads(code) for kind, code in code_blocks(page(name)) if kind == "json"]


@pytest.fixture
def answer(ask_upload, call):
    return call(ask_upload().body()).json


@pytest.mark.parametrize("name", both("docs/receipts.md"))
def test_the_answer_shown_has_the_fields_of_a_real_one(name, answer):
    assert [list(shown) for shown in shown_on(name)] == [list(answer)]


@pytest.mark.parametrize("name", both("README.md"))
def test_the_receipt_shown_has_the_claims_of_a_real_one(name, answer, clock):
    real = read_token(answer["receipt"], audience=RECEIPT, secrets=(SECRET,), now=clock())
    (shown,) = shown_on(name)
    assert set(shown) == set(real)
    assert shown["aud"] == RECEIPT
    assert shown["exp"] - shown["iat"] == real["exp"] - real["iat"]
