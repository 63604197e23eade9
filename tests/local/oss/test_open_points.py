"""The pages of OSS's open points are made from the rules of the local OSS."""

import pytest

from local.oss.open_points import FOLDER, WORDS, explained_in_english, pages, switches, write_pages


def test_every_rule_that_can_be_read_in_two_ways_is_explained_in_both_languages():
    assert set(switches()) <= set(explained_in_english())
    assert set(switches()) == set(WORDS["rules_in_chinese"])
    assert set(WORDS["states"]) < set(switches())


@pytest.mark.parametrize("name", pages())
def test_the_page_is_as_the_rules_make_it(name):
    assert (FOLDER / name).read_text("utf-8") == pages()[name], "run: python3 -m local.oss.open_points"


def test_the_command_writes_both_pages(tmp_path):
    write_pages(tmp_path)
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == pages()
