"""
The tables of fields in docs/api.md and its Chinese twin, with each request and response of several fields.

They are made of docs/openapi.yaml and tests/docs/api_fields.toml and stand at the beginning of each route's
section; the prose behind them is written by hand. ``python -m tests.docs.api_tables`` writes both pages.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.docs.openapi import DEFAULT_ROUTE, JSON, document, find

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"en": ROOT / "docs/api.md", "zh": ROOT / "docs/api.zh-CN.md"}
MEANINGS = tomllib.loads((ROOT / "tests/docs/api_fields.toml").read_text("utf-8"))
# For these services alone, which know what they send.
OF_OTHERS = ("callback", "wechat-events", "check-source")
WORDS = {
    "en": {
        "head": "| field | in | type | meaning |",
        "request": ("request", "request, optional"),
        "response": ("response", "response, at times"),
        "same": "all fields of [`/{route}`](#post-{route})",
        "file": "the other fields of one file of [`/{route}`](#post-{route})",
        "links": {
            "zh": "",
            "reasons": "reasons",
            "receipts": "receipts",
            "ai": "ai-made-content",
            "context": "what-a-caller-wants-to-find-in-it",
            "verify": "verify-a-receipt",
        },
        "hold": "held-back-until-it-may-be-seen",
    },
    "zh": {
        "head": "| 字段 | 在哪里 | 类型 | 含义 |",
        "request": ("请求", "请求，可选"),
        "response": ("响应", "响应，有时"),
        "same": "与 [`/{route}`](#post-{route}) 的字段相同",
        "file": "其余与 [`/{route}`](#post-{route}) 单个文件的字段相同",
        "links": {
            "zh": ".zh-CN",
            "reasons": "原因",
            "receipts": "回执",
            "ai": "ai-生成内容",
            "context": "调用者想在回执里看到的",
            "verify": "验证回执",
        },
        "hold": "先审后发",
    },
}
# Its fields stand in the table of the first route alone.
ONE_FILE = {"$ref": "#/components/schemas/WantedFile"}
WIDEST_LINE = 110
GENERATED = re.compile(r"\A\n(?:\|[^\n]*\n)+\n(?:```json\n.*?\n```\n\n?)*", re.S)
SECTION = re.compile(r"^## (GET|POST) /([a-z-]+)\n", re.M)


def generated(route: str, method: str, language: str) -> str:
    """Return what begins the section of a route: table, request, response."""
    operation = document()["paths"][f"/{route}"][method.lower()]
    asked = _content(operation.get("requestBody"))
    first = _first_with(operation["responses"]["200"], route)
    given = None if first else _content(operation["responses"]["200"])
    words = WORDS[language]
    rows = [*_rows(route, "request", asked, language)]
    if asked and ONE_FILE in asked["schema"].get("allOf", ()):
        rows.append(f"| … | {words['request'][1]} | | {words['file'].format(route=DEFAULT_ROUTE)} |")
    rows += _rows(route, "response", given, language)
    if first:
        rows.append(f"| … | {words['response'][0]} | `object` | {words['same'].format(route=first)} |")
    table = "\n".join([words["head"], "|---|---|---|---|", *rows])
    shown = [_first_example(content) for content in (asked, given) if content]
    # One field stands in the table.
    blocks = [f"```json\n{_pretty(value)}\n```" for value in shown if len(value) > 1]
    return "\n\n".join([table, *blocks]) + "\n"


def _first_with(response: Any, route: str) -> str:
    """Return the route above that has this very response, and so its fields."""
    for path, operations in document()["paths"].items():
        if path == f"/{route}":
            return ""
        if "$ref" in response and operations.get("post", {}).get("responses", {}).get("200") == response:
            return str(path[1:])
    return ""


def _content(body: Any) -> Any:
    body = find(body["$ref"]) if body and "$ref" in body else body
    return body["content"][JSON] if body else None


def _first_example(content: Any) -> Any:
    return next(iter(content["examples"].values()))["value"]


def _pretty(value: Any, indent: str = " ") -> str:
    """Return JSON whose lines are filled up to the widest that a page may have."""
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= WIDEST_LINE or not isinstance(value, dict | list):
        return line
    named = (
        [(f"{json.dumps(name)}: ", part) for name, part in value.items()] if isinstance(value, dict) else ()
    )
    rows = [""]
    for name, part in named or [("", part) for part in value]:
        text = f"{name}{_pretty(part, indent + ' ')}"
        if rows[-1] and len(f"{indent}{rows[-1]}, {text}") > WIDEST_LINE:
            rows.append("")
        rows[-1] += f", {text}" if rows[-1] else text
    first, last = "{}" if isinstance(value, dict) else "[]"
    return first + f",\n{indent}".join(rows) + last


def _rows(route: str, part: str, content: Any, language: str) -> Iterator[str]:
    fields: dict[str, tuple[Any, bool]] = {}
    for name, schema, needed in _fields(content["schema"] if content else {}):
        if name not in fields or needed:
            fields[name] = (schema, needed)
    words = WORDS[language]
    meanings = MEANINGS[part]
    # Said once, at the top.
    fields.pop("serverTime", None)
    for name, (schema, needed) in fields.items():
        both = meanings.get(f"{route}.{name}") or meanings[name]
        said = both[language == "zh"]
        for mark, text in {**words["links"], "hold": words["hold"]}.items():
            said = said.replace(f"{{{mark}}}", text)
        yield f"| `{name}` | {words[part][not needed]} | {_type(schema)} | {said} |"


def _fields(schema: Any, is_first: bool = True) -> Iterator[tuple[str, Any, bool]]:
    """Yield name, schema and whether it is always there; of alternatives the first is the usual one."""
    if "$ref" in schema:
        yield from _fields(find(schema["$ref"]), is_first)
        return
    for whole in schema.get("allOf", ()):
        if whole != ONE_FILE:
            yield from _fields(whole, is_first)
    required = schema.get("required", ())
    for name, found in schema.get("properties", {}).items():
        yield name, found, is_first and name in required
    for number, one in enumerate(schema.get("anyOf", schema.get("oneOf", ()))):
        # What pages for the sample servers read stands in the prose.
        if "PageForm" not in one.get("$ref", ""):
            yield from _fields(one, is_first and number == 0)


def _type(schema: Any) -> str:
    schema = {**find(schema["$ref"]), **schema} if "$ref" in schema else schema
    values = [schema["const"]] if "const" in schema else schema.get("enum", ())
    if values and values != [True]:
        return ", ".join(f"`{value}`" for value in values if value is not None)
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return ", ".join(f"`{kind}`" for kind in kinds)


def written(language: str) -> str:
    """Return a page with what is generated in its place."""
    page = PAGES[language].read_text("utf-8")
    parts = SECTION.split(page)
    made = [parts[0]]
    for method, route, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        prose = GENERATED.sub("\n", text)
        if route in OF_OTHERS:
            made.append(f"## {method} /{route}\n{text}")
        else:
            made.append(f"## {method} /{route}\n\n{generated(route, method, language)}{prose}")
    return "".join(made)


def main() -> None:
    for language, path in PAGES.items():
        path.write_text(written(language), "utf-8")


if __name__ == "__main__":
    main()
