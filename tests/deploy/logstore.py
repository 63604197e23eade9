"""A logstore in SQLite: the part of SLS's query language that the charts and alarms are written in."""

import json
import re
import sqlite3
from collections.abc import Iterable
from functools import lru_cache
from math import ceil
from typing import Any, NamedTuple

# Fields of the line that Function Compute itself writes about each request (logConfig: enableRequestMetrics).
# Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/request-level-metrics
METRIC_FIELDS = (
    *("isColdStart", "functionName"),
    *("coldStartLatencyMs", "prepareCodeLatencyMs", "runtimeInitializationMs"),
)
# What is meant by these is the same in SLS; a query that uses anything else is not understood here.
FUNCTIONS = {
    *("avg", "cast", "count", "max", "sum"),
    *("approx_percentile", "coalesce", "regexp_extract"),
    *("json_array_length", "json_extract", "json_extract_scalar"),
}
KEYWORDS_BEFORE_BRACKETS = {"from", "in", "and", "or", "select", "where", "on", "by"}


class Line(NamedTuple):
    """
    Args:
        moment: Unix seconds.

        message: as the runtime writes it: time, request and level, then what the function logged.

        fields: of a line that Function Compute itself writes; it has no message.
    """

    moment: int
    message: str
    fields: tuple[tuple[str, str], ...] = ()


class Percentile:
    """SLS's is approximate; this one is exact."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.share = 0.0

    def step(self, value: float | None, share: float) -> None:
        self.share = share
        if value is not None:
            self.values.append(value)

    def finalize(self) -> float | None:
        return sorted(self.values)[max(0, ceil(self.share * len(self.values)) - 1)] if self.values else None


def ask(query: str, lines: Iterable[Line]) -> list[dict[str, Any]]:
    """The rows that SLS would answer; the words before the stroke choose the lines."""
    search, stroke, sql = query.partition(" | ")
    assert stroke and re.fullmatch(r"\w+(: \w+)?", search), query
    unknown = called_in(sql) - FUNCTIONS
    assert not unknown, f"{unknown} in {sql}"
    name, colon, value = search.partition(": ")
    found = [
        line
        for line in lines
        if (dict(line.fields).get(name) == value if colon else _has_word(line.message, search))
    ]
    with sqlite3.connect(":memory:") as store:
        store.row_factory = sqlite3.Row
        store.create_function("regexp_extract", 2, _regexp_extract, deterministic=True)
        store.create_function("json_extract_scalar", 2, _json_extract_scalar, deterministic=True)
        store.create_function("json_extract", 2, _json_extract, deterministic=True)
        store.create_function("json_array_length", 1, _json_array_length, deterministic=True)
        store.create_aggregate("approx_percentile", 2, Percentile)
        columns = METRIC_FIELDS
        store.execute(f"CREATE TABLE log (__time__ BIGINT, message TEXT, {', '.join(columns)})")
        rows_of = (
            (line.moment, line.message or None, *map(dict(line.fields).get, columns)) for line in found
        )
        store.executemany(f"INSERT INTO log VALUES (?, ?{', ?' * len(columns)})", rows_of)
        rows = [dict(row) for row in store.execute(sql)]
    store.close()
    return rows


def called_in(sql: str) -> set[str]:
    words = {word.lower() for word in re.findall(r"(\w+)\s*\(", sql)}
    return words - KEYWORDS_BEFORE_BRACKETS


@lru_cache(maxsize=100_000)
def _has_word(message: str, word: str) -> bool:
    return re.search(rf"\b{word}\b", message) is not None


@lru_cache(maxsize=100_000)
def _regexp_extract(text: str, pattern: str) -> str | None:
    match = re.search(pattern, text, re.S)
    return match[0] if match else None


@lru_cache(maxsize=100_000)
def _object(text: str) -> dict[str, Any]:
    return json.loads(text)


@lru_cache(maxsize=100_000)
def _json_extract_scalar(text: str | None, path: str) -> str | None:
    """As Presto has it: text of a scalar, nothing of an object, a list, a null, or what is no JSON."""
    found = _json_extract(text, path)
    value = None if found is None else json.loads(found)
    if value is None or isinstance(value, dict | list):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=100_000)
def _json_extract(text: str | None, path: str) -> str | None:
    """The JSON of a value, by its path."""
    try:
        value = _object(text or "")
        for name in path.removeprefix("$.").split("."):
            value = value[name]
    except (KeyError, TypeError, ValueError):
        return None
    return json.dumps(value)


def _json_array_length(text: str | None) -> int | None:
    value = json.loads(text or "null")
    return len(value) if isinstance(value, list) else None
