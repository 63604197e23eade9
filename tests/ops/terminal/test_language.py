"""Which language is spoken, and what the system says in it."""

import ast
import locale
from pathlib import Path

import pytest

from ops.terminal.language import chosen_language, why_unreadable
from tests.ops.words import chinese_in

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "ZH_cn"}, "zh"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "en_US.UTF-8"}, "zh"),
        ({"LC_ALL": "C.UTF-8", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "zh"}, "zh"),
    ],
)
def test_the_locale_chooses_the_first_that_is_set(environ, language, monkeypatch):
    monkeypatch.setattr(locale, "getlocale", lambda: (None, None))
    assert chosen_language(None, environ) == language
    assert chosen_language("en", environ) == "en"
    assert chosen_language("zh", environ) == "zh"


@pytest.mark.parametrize(
    ("windows", "language"),
    [("Chinese (Simplified)_China", "zh"), ("zh_CN", "zh"), ("English_United States", "en"), (None, "en")],
)
def test_without_a_variable_the_system_locale_decides(windows, language, monkeypatch):
    monkeypatch.setattr(locale, "getlocale", lambda: (windows, "936"))
    assert chosen_language(None, {}) == language
    assert chosen_language(None, {"LANG": "en_US.UTF-8"}) == "en"


def test_file_errors_are_translated_into_chinese(tmp_path):
    with pytest.raises(OSError) as missing:
        (tmp_path / "no").read_text()
    with pytest.raises(OSError) as folder:
        tmp_path.read_text()
    for error in (missing.value, folder.value, UnicodeDecodeError("utf-8", b"", 0, 1, "")):
        why = why_unreadable(error)
        assert why.en.isascii() and chinese_in(why.zh)


@pytest.mark.parametrize(
    "name", ["manage.py", "ops/terminal/language.py", "ops/run/own_python.py", "ops/__init__.py"]
)
def test_the_version_check_parses_on_python_3_6(name):
    tree = ast.parse((ROOT / name).read_text("utf-8"), feature_version=(3, 6))
    hints = [hint for node in ast.walk(tree) if isinstance(node, ast.arg) and (hint := node.annotation)]
    hints += [hint for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and (hint := node.returns)]
    new = (ast.Subscript, ast.BinOp)
    assert not any(isinstance(part, new) for hint in hints for part in ast.walk(hint))
