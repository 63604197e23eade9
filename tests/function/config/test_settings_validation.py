"""settings_validation: rules that relate settings and profiles."""

import re
from contextlib import nullcontext

import pytest

from function.app import load_settings
from function.errors import Misconfigured
from tests.function.config.named import named
from tests.support.cases import cases_beside, table_beside

cases = cases_beside(__file__)
ENVIRONMENTS = table_beside(__file__)["ENVIRONMENTS"]
PROFILE = '[p]\nkey = "a/{owner}/{id}"\nmax_size = 1\ncontent_types = ["image/*"]\n'


@cases("given", "changes", "options", "expected")
def test_settings_and_profiles_fit_together(environment, profiles_file, given, changes, options, expected):
    for name in given.split():
        environment |= ENVIRONMENTS[name]
    environment |= {**changes, "PROFILES_FILE": profiles_file(PROFILE + options)}
    if not expected:
        load_settings(environment)
        return
    with pytest.raises(Misconfigured) as raised:
        load_settings(environment)
    found = [(f"{each.setting} {each.needs}".strip(), named(each.sentence)) for each in raised.value.problems]
    assert tuple(f"{names}: {sentence}" for names, sentence in found) == expected


@pytest.mark.parametrize(
    "options",
    ['read = "owner"', 'confirm = true\nhold = ["commit"]\ncommit_by = "owner"'],
    ids=["read", "commit"],
)
def test_without_identified_callers_the_value_that_a_problem_names_is_accepted(
    environment, profiles_file, options
):
    def load(text):
        return load_settings({**environment, **ENVIRONMENTS["secret"], "PROFILES_FILE": profiles_file(text)})

    with pytest.raises(Misconfigured) as raised:
        load(PROFILE + options)
    (problem,) = raised.value.problems
    other = problem.sentence.values["clause"].values["other"]
    load(PROFILE + options.replace("owner", other))


@pytest.mark.parametrize(("purpose", "options"), [("uploads", ""), ("objects", 'read = "callers"')])
@pytest.mark.parametrize(("length", "is_accepted"), [(2049, False), (2048, True)])
def test_a_session_policy_has_at_most_2048_characters(
    environment, profiles_file, purpose, options, length, is_accepted
):
    def write(last_folder):
        folders = [*(f"{number}-{'f' * 200}" for number in range(7)), last_folder]
        environment["PROFILES_FILE"] = profiles_file(
            "\n".join(
                f'[p{number}]\nkey = "{folder}/{{id}}"\nmax_size = 1\ncontent_types = ["*/*"]\n{options}'
                for number, folder in enumerate(folders)
            )
        )

    def lengths():
        policies = load_settings(environment).session_policies
        return {name: len(policy) for (name, *_), policy in policies.items()}

    write("x")
    short = lengths()
    write("x" * (1 + length - short[purpose]))
    if is_accepted and purpose == max(short, key=short.get):
        assert lengths()[purpose] == length
        return
    with pytest.raises(Misconfigured) as raised:
        load_settings(environment)
    shown = [int(re.search("[0-9]{4,}", problem.sentence)[0]) for problem in raised.value.problems]
    expected = [length + short[name] - short[purpose] for name in short]
    assert shown == [number for number in expected if number > 2048]


@pytest.mark.parametrize(("key", "is_refused"), [("a/{id}", True), ("a/{id}/{owner}", False)])
def test_erasing_needs_a_profile_with_an_owner(environment, profiles_file, key, is_refused):
    text = f'[p]\nkey = "{key}"\nmax_size = 1\ncontent_types = ["image/*"]\n'
    more = {"ERASE": "true", "TOKEN_SECRET": "token-secret-0123456789-abcdefghi"}
    environ = {**environment, **more, "PROFILES_FILE": profiles_file(text)}
    with pytest.raises(Misconfigured) if is_refused else nullcontext() as caught:
        load_settings(environ)
    assert not is_refused or [problem.setting for problem in caught.value.problems] == ["ERASE"]
