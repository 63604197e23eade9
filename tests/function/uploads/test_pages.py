"""The pages show real responses and real claims of a receipt."""

import json

import pytest

from function.auth.signed_tokens import RECEIPT
from function.http.client import HttpResponse
from tests.docs.markdown import both, code_blocks, page
from tests.function.uploads.conftest import SECRET, claims_of


def shown_on(name):
    return [json.loads(code) for kind, code in code_blocks(page(name)) if kind == "json"]


@pytest.fixture
def answer(ask_upload, call):
    return call(ask_upload().body()).json


@pytest.fixture
def confirmed(instance, profiles_file):
    """The answer to /confirm; OSS has what the form admitted."""
    text = '[default]\nkey = "u/{id}"\nmax_size = 9\ncontent_types = ["image/png"]\nconfirm = true'
    headers = {
        "content-length": "9",
        "content-type": "image/png",
        "etag": '"A"',
        "last-modified": "Tue, 24 Nov 2026 14:00:01 GMT",
    }
    function = instance(
        lambda *_args, **_options: HttpResponse(200, b"", headers),
        TOKEN_SECRET=SECRET,
        PROFILES_FILE=profiles_file(text),
    )
    return function.ask(path="/confirm", body={"ticket": function.ask(body={}).json["ticket"]}).json


@pytest.mark.parametrize("name", both("docs/receipts.md"))
def test_responses_shown_have_the_fields_of_real_ones(name, answer, confirmed):
    assert [list(shown) for shown in shown_on(name)[:2]] == [list(answer), list(confirmed)]


@pytest.mark.parametrize("name", both("docs/receipts.md"))
def test_the_receipt_shown_has_the_claims_of_a_real_one(name, answer, clock):
    real = claims_of(answer["receipt"], clock)
    _, _, shown = shown_on(name)
    assert set(shown) == set(real)
    assert shown["aud"] == RECEIPT
    assert shown["exp"] - shown["iat"] == real["exp"] - real["iat"]
