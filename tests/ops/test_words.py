"""What counts as a text in one language."""

import pytest

from tests.ops.words import chinese_in, english_in


@pytest.mark.parametrize(
    "text",
    [
        "缺少 CALLER_AUTH，应为其中之一：wechat, jwt",
        "请运行 make deploy，或 python3 manage.py doctor --url https://a.example.com --code CODE",
        "profiles.toml 不是 TOML：“Invalid value (at line 1, column 5)”",
        "cp .env.example .env，并填写它",
        "文件里没有 vars.x",
        "AliyunRAMFullAccess 与 Serverless Devs",
    ],
)
def test_names_values_and_the_words_of_others_are_no_english(text):
    assert english_in(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "错误：OSS_BUCKET is missing",
        "无法读取 a.toml：No such file",
        "manage.py：错误：unrecognized arguments: --x",
        "（a secret，不显示）",
        "缺少 CALLER_AUTH；it must be wechat",
    ],
)
def test_english_within_chinese_is_found(text):
    assert english_in(text)


def test_chinese_within_english_is_found():
    assert chinese_in("1 problem，见上") == ["，见上"]
    assert chinese_in("the mini-program console (“开发管理 > 开发设置”)") == []
