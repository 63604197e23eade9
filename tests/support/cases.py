"""Data of tests: tables beside them (``test_NAME.json`` beside ``test_NAME.py``), and profiles."""

import json
from pathlib import Path

import pytest

from function.auth import anonymous
from function.config.setting_table import new_entry

# The one caller of a function that lets anyone upload.
ANYONE = new_entry("anonymous", anonymous.KIND, {})


def table_beside(file):
    """Return the table of a test file, by the names of its tests or constants."""
    return json.loads(Path(file).with_suffix(".json").read_text("utf-8"), object_hook=_read_short)


def _read_short(value):
    """
    Return what an object stands for.

    ``{"$bytes": "…"}`` is bytes, a character each; ``{"$times": ["x", 99]}`` is ``"x" * 99``;
    ``{"$join": […]}`` is one text of several; ``{"$int": "9"}`` and ``{"$float": "nan"}`` are numbers;
    ``{"$absent": true}`` is ``...``; ``{"$each": {"404 NoSuchKey": […]}}`` is a row of each item and its key.
    """
    match value:
        case {"$bytes": text}:
            return text.encode("latin-1")
        case {"$times": [text, times]}:
            return text * times
        case {"$join": texts}:
            return "".join(texts)
        case {"$int": text}:
            return int(text)
        case {"$float": text}:
            return float(text)
        case {"$absent": True}:
            return ...
        case {"$each": dict(groups)}:
            return [[item, key] for key, items in groups.items() for item in items]
    return value


def profile_toml(name, folder="", end="{owner}/{id}{ext}", **options):
    """Return the text of a profile; its folder has its name, or another. None leaves an option out."""
    given = {"key": f"{folder or name}/{end}", "max_size": "1MiB", "content_types": ["image/*"], **options}
    lines = [f"{option} = {_toml(value)}" for option, value in given.items() if value is not None]
    return "\n".join(["", f"[{name}]", *lines, ""])


def _toml(value):
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{name} = {_toml(each)}' for name, each in value.items())} }}"
    return json.dumps(value, ensure_ascii=False)


def cases_beside(file):
    """
    Return a decorator that parametrizes a test with the rows that the table has under the test's name.

    Rows are a list, or an object whose keys are the ids.
    """
    table = table_beside(file)

    def with_rows_as(*names):
        def parametrized(test):
            rows = table[test.__name__]
            named = isinstance(rows, dict)
            values = [_frozen(row) for row in (rows.values() if named else rows)]
            ids = list(rows) if named else _id_of
            return pytest.mark.parametrize(names if len(names) > 1 else names[0], values, ids=ids)(test)

        return parametrized

    return with_rows_as


def _id_of(value):
    return ascii(value)[1:41] if isinstance(value, str) else None


def _frozen(value):
    """Arrays as tuples, so that no test can change another's case."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
