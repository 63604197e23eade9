"""The pages name what the code has: settings, options, routes, codes, files, commands, and no other."""

import argparse
import importlib
import json
import re

import pytest

from function.app import ROUTES
from function.auth import CallerKinds, all_settings
from function.config.option_table import OPTION_NAMES, OPTIONS
from function.holding.transitions import SHOWN
from manage import COMMANDS
from tests.docs import held_states
from tests.docs.markdown import (
    MAKERS,
    PAIRS,
    ROOT,
    both,
    code_blocks,
    names_in,
    page,
    table_of,
    tables,
    without_code,
)
from tests.docs.openapi import error_classes

EVERY_PAGE = pytest.mark.parametrize(
    "name", sorted([*PAIRS, *PAIRS.values(), *MAKERS, "docs/agents.md", "docs/skill/SKILL.md"])
)


def setting_names():
    return {row.name for row in all_settings()}


def setting_rows(name):
    """The rows of the table of settings, and of its appendix."""
    return [row for table in tables(page(name)) for row in table if names_in(row[0])]


@pytest.mark.parametrize("name", both("docs/configuration.md"))
def test_the_configuration_tables_have_every_setting_once_and_no_other(name):
    assert sorted(each for row in setting_rows(name) for each in names_in(row[0])) == sorted(setting_names())


# What they are without depends on other settings.
OF_OTHERS = "TOKEN_SECRET RECEIPT_SECRET OWNER_SECRET JWT_AUDIENCE".split()
WITHOUT = {
    "docs/configuration.md": ("required", "for `{}`", "none"),
    "docs/configuration.zh-CN.md": ("必填", "`{}` 时必填", "无"),
}


def shown_default(row, words):
    """What the table says of a setting that is not given."""
    required, required_for, nothing = words
    if row.default:
        text = row.default.replace("{OSS_BUCKET}", "{bucket}").replace("{OSS_REGION}", "{region}")
        other = re.fullmatch(r"{([A-Z_]+)}", text)
        return f"`{other[1] if other else text}`"
    if not row.is_needed:
        return nothing
    kinds = [name for name, kind in CallerKinds().items() if row in kind.settings]
    return required_for.format(*kinds) if kinds else required


@pytest.mark.parametrize("name", WITHOUT)
def test_the_configuration_table_has_the_default_of_each_setting(name):
    shown = {names_in(row[0])[0]: row[1] for row in setting_rows(name)}
    real = {
        row.name: shown_default(row, WITHOUT[name]) for row in all_settings() if row.name not in OF_OTHERS
    }
    assert {setting: shown[setting] for setting in real} == real


@pytest.mark.parametrize("name", both("docs/errors.md"))
def test_the_error_table_has_every_code_with_its_status(name):
    rows = {(row[0], *names_in(row[1])) for row in table_of(page(name), "400")}
    assert rows == {(str(int(kind.status)), kind.code) for kind in error_classes()}


def option_rows(name):
    """The rows of the tables of options, one table for each topic."""
    return [row for table in tables(page(name)) for row in table if set(names_in(row[0])) & set(OPTION_NAMES)]


@pytest.mark.parametrize("name", both("docs/profiles.md"))
def test_the_profile_tables_have_every_option_once(name):
    assert sorted(option for row in option_rows(name) for option in names_in(row[0])) == sorted(OPTION_NAMES)


# Options whose default is what the deployment says.
FROM_SETTINGS = {
    "signature": "OSS_SIGNATURE_VERSION",
    "bucket": "OSS_BUCKET",
    "region": "OSS_REGION",
    "role": "STS_ROLE_ARN",
}


@pytest.mark.parametrize("name", both("docs/profiles.md"))
def test_the_profile_table_has_the_default_of_each_option(name):
    shown = {tuple(names_in(row[0])): names_in(row[1]) for row in option_rows(name)}
    given = {option.name: option.default for option in OPTIONS if option.default is not None}
    for options, defaults in shown.items():
        real = [json.dumps(given[option]).strip('"') for option in options if option in given]
        from_settings = [FROM_SETTINGS[option] for option in options if option in FROM_SETTINGS]
        assert defaults == (real or from_settings), options


@pytest.mark.parametrize("name", both("docs/api.md"))
def test_every_route_is_described(name):
    for route in ROUTES:
        assert f" /{route}\n" in page(name)


def test_architecture_names_only_files_that_exist():
    named = names_in(page("ARCHITECTURE.md"))
    paths = [text for text in named if re.fullmatch(r"[\w./-]+(\.(py|toml|yaml|md)|/)", text)]
    found = [[(ROOT / place / path).exists() for place in (".", "function")] for path in paths]
    assert [path for path, places in zip(paths, found, strict=True) if not any(places)] == []


@pytest.mark.parametrize("name", both("docs/callers.md"))
def test_every_kind_of_caller_is_described(name):
    table, *_ = tables(page(name))
    assert {kind for row in table for kind in names_in(row[0])} == set(CallerKinds())


def commands_on(name):
    """Each line of code and each text in backquotes on a page."""
    lines = [line for _, code in code_blocks(page(name)) for line in code.splitlines()]
    return lines + names_in(without_code(page(name)))


@EVERY_PAGE
def test_every_make_target_that_is_named_exists(name):
    targets = set(re.findall(r"^([a-z-]+):", page("Makefile") + page("quality/targets.mk"), flags=re.M))
    named = {target for text in commands_on(name) for target in re.findall(r"\bmake ([a-z-]+)\b", text)}
    assert named <= targets


def options_of(command):
    parser = argparse.ArgumentParser()
    importlib.import_module(COMMANDS[command]).add_arguments(parser)
    return set(parser._option_string_actions)


@pytest.mark.parametrize("name", both("docs/deploy.md"))
def test_every_option_of_setup_in_the_table_exists(name):
    named = [text for table in tables(page(name)) for row in table for text in names_in(row[0])]
    options = {text.split()[0] for text in named if text.startswith("--")}
    assert options and options <= options_of("setup")


@EVERY_PAGE
def test_every_command_and_each_of_its_options_exists(name):
    for text in commands_on(name):
        for command in re.findall(r"manage\.py ([a-z-]+)", text):
            assert command in COMMANDS, text
        for command, options in re.findall(rf"(?:manage\.py |^)({'|'.join(COMMANDS)}) ([^|]*)", text):
            assert set(re.findall(r"--[a-z][a-z-]+", options)) <= options_of(command), text


@pytest.mark.parametrize("name", [*both("README.md"), *both("docs/client.md"), *both("docs/large-files.md")])
def test_the_examples_use_profiles_of_the_file_that_ships(name):
    shipped = re.findall(r"^(?:# )?\[([a-z]+)\]$", (ROOT / "profiles.example.toml").read_text("utf-8"), re.M)
    used = re.findall(r"""\bprofile(?:=|["']?: ?)["']([\w-]+)["']""", page(name))
    assert used and set(used) <= set(shipped)


@pytest.mark.parametrize("name", held_states.PAGES)
def test_states_and_events_of_held_objects_are_those_that_there_are(name):
    """``python -m tests.docs.held_states`` draws the diagram."""
    assert held_states.drawn(name) == page(name)
    states, events = ({names_in(row[0])[0] for row in table} for table in tables(page(name)))
    assert states == {*SHOWN.values()}
    assert events == states - {"held", "checking"} | {"uploaded", "expired"}
