"""``docs/openapi.yaml`` has every route, code and example there is; answers of the tests fit it."""

import json
import re
from pathlib import Path

import pytest

from function import VERSION
from function.app import ROUTES
from function.http.client import HttpResponse
from function.moderation.finding import Outcome
from tests.docs import api_tables
from tests.docs.markdown import both, code_blocks, names_in, page, without_code
from tests.docs.openapi import check_answer, check_value, document, error_classes, examples, find
from tests.support.stage import Reply
from tests.support.world import HELD, WEBHOOK, World

METHODS = {"get", "post", "put", "delete", "patch", "head", "options", "trace"}
JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


def nodes(value):
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from nodes(item)


def test_an_independent_validator_accepts_the_document():
    # Pydantic, which it imports, is slow to load.
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert list(OpenAPIV31SpecValidator(document()).iter_errors()) == []
    assert document()["info"]["version"] == VERSION
    assert all(find(node["$ref"]) for node in nodes(document()) if isinstance(node.get("$ref"), str))


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


def test_webhook_events_match_the_document(clock):
    sent = []

    def hook(_method, _url, *, body, headers, **_bounds):
        sent.append((headers, json.loads(body)))
        return HttpResponse(200, b"")

    world = World({**HELD, "UPLOAD_WEBHOOK_URL": WEBHOOK}, clock, check=check_answer)
    world.others["shop.example.com"] = hook
    world.commit(world.store("commit")["receipt"])
    world.store("check")
    world.verdict(Outcome.RISKY, label=20002)
    assert [told["event"] for _, told in sent] == ["uploaded", "published", "uploaded", "rejected"]
    operation = document()["webhooks"]["uploaded"]["post"]
    patterns = {each["name"]: each["schema"]["pattern"] for each in operation["parameters"]}
    for headers, told in sent:
        check_value("#/webhooks/uploaded/post/requestBody/content/application~1json/schema", told, "told")
        assert {*headers} - {"Content-Type"} == {*patterns}
        assert all(re.fullmatch(pattern, headers[name]) for name, pattern in patterns.items())


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
        ("GET", "/health", refusal()),
    ],
    ids=["another code", "another field", "a header that lacks", "more than is said", "no JSON", "a status"],
)
def test_an_undocumented_response_fails(method, path, reply):
    with pytest.raises((AssertionError, LookupError)):
        check_answer(method, path, reply)


def test_the_tests_hold_every_answer_to_it(instance, monkeypatch):
    """An answer that nobody documented fails the test that gets it."""
    monkeypatch.setitem(
        document()["paths"]["/health"]["get"]["responses"], "200", {"$ref": "#/components/responses/Gone"}
    )
    with pytest.raises(AssertionError):
        instance().ask(method="GET", path="/health")


def test_every_world_of_the_function_s_tests_checks_its_answers():
    """As does the fixture ``instance``."""
    for path in (Path(__file__).parents[1] / "function").rglob("*.py"):
        calls = re.findall(r"\bWorld\((?:[^()]|\([^()]*\))*\)", path.read_text("utf-8"))
        assert [call for call in calls if "check=check_answer" not in call] == [], path
