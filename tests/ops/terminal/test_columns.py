"""What a text takes on the screen, and where its lines are broken."""

import pytest

from ops.terminal.columns import columns_of, padded, wrapped
from tests.support.cases import cases_beside

cases = cases_beside(__file__)


@pytest.mark.parametrize(("text", "columns"), [("", 0), ("abc", 3), ("中文", 4), ("key：a", 6), ("…", 1)])
def test_a_chinese_character_takes_two_columns(text, columns):
    assert columns_of(text) == columns


def test_padding_aligns_wide_characters():
    assert padded("桶", 6) == "桶    "
    assert padded("bucket", 6) == "bucket"


@cases("text", "lines")
def test_lines_are_broken_at_spaces_and_among_chinese_but_not_before_a_comma(text, lines):
    assert tuple(wrapped(text, 8)) == lines
