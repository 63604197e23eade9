"""docs/deploy.md names options of setup that exist."""

import argparse

import pytest

from ops.account.setup import add_arguments
from tests.docs.markdown import both, names_in, page, tables


def parser():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser


@pytest.mark.parametrize("name", both("docs/deploy.md"))
def test_every_option_in_the_table_exists(name):
    named = [text for table in tables(page(name)) for row in table for text in names_in(row[0])]
    options = [text.split()[0] for text in named if text.startswith("--")]
    assert options
    assert set(options) <= set(parser()._option_string_actions)
