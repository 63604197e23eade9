"""What counts as a text in one language."""

from tests.ops.words import chinese_in, english_in
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@cases("text")
def test_names_values_and_the_words_of_others_are_no_english(text):
    assert english_in(text) == []


@cases("text")
def test_english_within_chinese_is_found(text):
    assert english_in(text)


def test_chinese_within_english_is_found():
    assert chinese_in("1 problem，见上") == ["，见上"]
    assert chinese_in("the mini-program console (“开发管理 > 开发设置”)") == []
