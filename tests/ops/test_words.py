"""What counts as a text in one language."""

import pytest

from tests.ops.words import chinese_in, english_in


@pytest.mark.parametrize(("text", "is_found"), [
    ("缺少 CALLER_AUTH，应为其中之一：wechat, jwt", False),
    ("请运行 make deploy，或 python3 manage.py doctor --url https://a.example.com --code CODE", False),
    ("profiles.toml 不是 TOML：“Invalid value (at line 1, column 5)”", False),
    ("错误：OSS_BUCKET is missing", True),
    ("无法读取 a.toml：No such file", True),
])  # fmt: skip
def test_english_within_chinese_is_found_but_names_and_values(text, is_found):
    assert bool(english_in(text)) is is_found


def test_chinese_within_english_is_found():
    assert chinese_in("1 problem，见上") == ["，见上"]
    assert chinese_in("the mini-program console (“开发管理 > 开发设置”)") == []
