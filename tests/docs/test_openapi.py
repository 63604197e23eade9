"""``docs/openapi.yaml`` has every route, code and example there is; answers of the tests fit it."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from function import VERSION
from function.app import ROUTES
from function.auth.signed_tokens import RECEIPT, issue_token
from function.webhook import notify_business
from tests.conftest import TEST_INSTANT, TOKEN_SECRET
from tests.docs import api_tables
from tests.docs.markdown import both, code_blocks, names_in, page, without_code
from tests.docs.openapi import check_answer, check_value, document, error_classes, examples, find, validator
from tests.support.stage import Reply

METHODS = {"get", "post", "put", "delete", "patch", "head", "options", "trace"}
JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


def nodes(value):
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(item)


def test_openapi_version_and_references_are_valid():
    assert document()["openapi"] == "3.1.0"
    assert document()["info"]["version"] == VERSION
    for node in nodes(document()):
        if isinstance(node.get("$ref"), str):
            assert find(node["$ref"])


def test_an_independent_validator_accepts_the_document():
    # Pydantic, which it imports, is slow to load.
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []


def test_no_comma_within_braces_makes_a_field_of_a_sentence():
    """``{description: UTC, whole seconds}`` has two fields; JSON Schema ignores the second."""
    fields = [name for node in nodes(document()) for name, value in node.items() if value is None]
    assert set(fields) <= {"width", "height", "url", "cursor"}


def test_openapi_lists_exactly_the_routes_and_methods():
    real = {f"/{name}": set(route.methods) for name, route in ROUTES.items()}
    shown = {
        path: {method.upper() for method in item if method in METHODS}
        for path, item in document()["paths"].items()
    }
    assert shown == real


def codes_of(response):
    schema = find(response["$ref"])["content"]["application/json"]["schema"]
    return schema["properties"]["error"]["properties"]["code"]["enum"]


def test_openapi_lists_exactly_the_codes_of_each_status():
    shown = {
        (int(status), code)
        for item in document()["paths"].values()
        for operation in item.values()
        for status, response in operation["responses"].items()
        if status not in ("200", "default")
        for code in codes_of(response)
    }
    shown |= {(405, code) for code in codes_of({"$ref": "#/components/responses/MethodNotAllowed"})}
    assert shown == {(int(kind.status), kind.code) for kind in error_classes()}


def test_openapi_examples_match_their_schemas():
    assert len(examples()) > 12
    for pointer, value in examples():
        check_value(pointer, value, pointer)


def json_on(text):
    """Every JSON object of a page that is whole, in blocks and in lines."""
    shown = [code for kind, code in code_blocks(text) if kind == "json"] + names_in(without_code(text))
    for code in shown:
        try:
            value = json.loads(code)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield value


@pytest.mark.parametrize("name", both("docs/api.md"))
def test_the_examples_of_the_page_are_its_examples(name):
    shown, ours = list(json_on(page(name))), [value for _, value in examples()]
    assert len(shown) > 7
    assert [value for value in shown if value not in ours] == []


@pytest.mark.parametrize("language", api_tables.PAGES)
def test_the_tables_of_fields_are_made_of_it(language):
    """After a change: ``python -m tests.docs.api_tables``."""
    assert api_tables.PAGES[language].read_text("utf-8") == api_tables.written(language)


@pytest.mark.parametrize(
    "event", [{}, {"event": "published"}, {"event": "rejected", "label": 20002}], ids=str
)
def test_webhook_events_match_the_document(event):
    told, sent = [], {}

    def send(*_address, body, headers, **_bounds):
        told.append(json.loads(body))
        sent.update(headers)
        return SimpleNamespace(status=200)

    settings = SimpleNamespace(upload_webhook_url="https://business.example/", receipt_secrets=["s", "o"])
    call = SimpleNamespace(
        settings=settings,
        now=datetime.now(UTC),
        line=SimpleNamespace(traceparent=None),
        send=send,
        seconds_left=lambda: 28.0,
        instance=SimpleNamespace(monotonic=lambda: 0.0, keep=lambda _kind, make: make()),
        webhook_seconds=0.0,
        webhook_failure="",
    )
    assert notify_business(call, None, "a.b.c", "KpY7", "public", **event)
    operation = document()["webhooks"]["uploaded"]["post"]
    content = operation["requestBody"]["content"]
    (value,) = told
    assert {name for name in sent if name != "Content-Type"} == {
        each["name"] for each in operation["parameters"]
    }
    for each in operation["parameters"]:
        assert re.fullmatch(each["schema"]["pattern"], sent[each["name"]])
    assert list(validator(content["application/json"]["schema"]).iter_errors(value)) == []


def refusal(**changes):
    error = {"code": "too_many_requests", "message": "Wait.", "requestId": "1-a", **changes}
    return Reply(429, {**JSON_HEADERS, "Retry-After": "3"}, json.dumps({"error": error}))


@pytest.mark.parametrize(
    ("method", "path", "reply"),
    [
        ("POST", "/login", refusal(code="slow_down")),
        ("POST", "/login", refusal(hint="later")),
        ("POST", "/login", Reply(429, JSON_HEADERS, refusal().text)),
        ("GET", "/health", Reply(200, JSON_HEADERS, '{"status": "ok", "version": "1", "more": 1}')),
        ("GET", "/health", Reply(200, {"Content-Type": "text/plain"}, '{"status": "ok", "version": "1"}')),
    ],
    ids=["another code", "another field", "a header that lacks", "more than is said", "no JSON"],
)
def test_an_undocumented_response_fails(method, path, reply):
    with pytest.raises(AssertionError):
        check_answer(method, path, reply)


def test_an_undocumented_status_fails():
    with pytest.raises(LookupError, match="GET /health is not documented to answer 429"):
        check_answer("GET", "/health", refusal())


def test_the_tests_hold_every_answer_to_it(instance, monkeypatch):
    """An answer that nobody documented fails the test that gets it."""
    monkeypatch.setitem(
        document()["paths"]["/health"]["get"]["responses"], "200", {"$ref": "#/components/responses/Gone"}
    )
    with pytest.raises(AssertionError):
        instance().ask(method="GET", path="/health")


def test_a_receipt_with_an_undocumented_claim_fails():
    claims = {"sub": "a"}
    receipt = issue_token(
        claims, audience=RECEIPT, secrets=(TOKEN_SECRET,), now=TEST_INSTANT, life=timedelta(1)
    )
    with pytest.raises(AssertionError, match="told: receipt is not"):
        check_value("#/components/schemas/Told", {"event": "uploaded", "receipt": receipt}, "told")


def test_every_world_of_the_function_s_tests_checks_its_answers():
    """As does the fixture ``instance``."""
    for path in (Path(__file__).parents[1] / "function").rglob("*.py"):
        calls = re.findall(r"\bWorld\((?:[^()]|\([^()]*\))*\)", path.read_text("utf-8"))
        assert [call for call in calls if "check=check_answer" not in call] == [], path
