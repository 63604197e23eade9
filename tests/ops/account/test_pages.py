"""docs/deploy.md shows the documents that setup makes, and each of its options in the table."""

import argparse
import json

import pytest

from function.config.profile import NOWHERE
from function.config.profiles import read_profiles
from function.sts.session_policy import DELETIONS, session_policies
from ops.account.desired import read_desired
from ops.account.ram_documents import same_document
from ops.account.role_plan import FoundRoles, role_steps
from ops.account.setup import add_arguments
from tests.docs.markdown import both, code_blocks, names_in, page, tables

OPTIONS = ["--bucket", "my-bucket", "--region", "cn-hangzhou", "--account", "1234567890123456"]


def parser():
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser


def documents():
    """The four documents of an empty account, in the order in which setup makes them."""
    desired = read_desired(parser().parse_args(OPTIONS), {})
    steps, _ = role_steps(desired.roles, FoundRoles())
    values = [value for step in steps for value in step.parameters.values()]
    return [value for value in values if isinstance(value, dict) and "Statement" in value]


def deletion_session():
    """Its policy, with both options in the first two of the profiles that ship."""
    home = NOWHERE._replace(bucket="my-bucket")
    shipped, _ = read_profiles(page("profiles.example.toml"), default_signature="v4", home=home)
    own = {name: shipped[name]._replace(list=True, delete="owner") for name in ("default", "avatar")}
    (policy,) = [
        text
        for (purpose, *_), text in session_policies({**shipped, **own}.values()).items()
        if purpose == DELETIONS
    ]
    return json.loads(policy)


@pytest.mark.parametrize("name", both("docs/deploy.md"))
def test_the_documents_shown_are_those_that_setup_makes(name):
    shown = [json.loads(code) for kind, code in code_blocks(page(name)) if kind == "json"]
    made = [*documents(), deletion_session()]
    assert len(shown) == len(made) == 5
    assert [same_document(*pair) for pair in zip(shown, made, strict=True)] == [True] * 5


@pytest.mark.parametrize("name", both("docs/deploy.md"))
def test_every_option_in_the_table_exists(name):
    named = [text for table in tables(page(name)) for row in table for text in names_in(row[0])]
    options = [text.split()[0] for text in named if text.startswith("--")]
    assert options
    assert set(options) <= set(parser()._option_string_actions)
