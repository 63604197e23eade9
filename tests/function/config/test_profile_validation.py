"""profile_validation: rules that relate the options of profiles."""

from operator import attrgetter

import pytest

from function.config.profile import NOWHERE
from function.config.profiles import read_profiles
from tests.function.config.named import named
from tests.support.cases import cases_beside

cases = cases_beside(__file__)
GOOD = {"key": '"uploads/{owner}/{id}{ext}"', "max_size": '"1MiB"', "content_types": '["image/png"]'}
HOMES = {name: NOWHERE._replace(bucket=name, region="cn-shanghai") for name in ("home", "other")}
GIB = 1024**3


def read(**options):
    """The one profile with these options, each as TOML, and the names in each of its problems."""
    lines = "\n".join(f"{name} = {value}" for name, value in {**GOOD, **options}.items())
    profiles, problems = read_profiles(f"[p]\n{lines}", default_signature="v4")
    assert all(problem.sentence.startswith("profiles.toml [p]: ") for problem in problems)
    return profiles.get("p"), [named(problem.sentence) for problem in problems]


@cases("options", "expected")
def test_options_of_one_profile_fit_together(options, expected):
    profile, clauses = read(**options)
    assert tuple(clauses) == expected
    assert (profile is None) is bool(expected)


@cases("options", "fields")
def test_options_have_defaults_and_values(options, fields):
    profile, clauses = read(**options)
    assert not clauses
    assert [(name, attrgetter(name)(profile)) for name, _ in fields] == [*fields]


@cases("home", "tables", "expected")
def test_profiles_share_folders_and_buckets_safely(home, tables, expected):
    text = "\n".join(
        f'[{name}]\nkey = "{key}"\nmax_size = 1\ncontent_types = ["*/*"]\n{lines}'
        for name, (key, lines) in zip("abc", tables, strict=False)
    )
    problems = read_profiles(text, default_signature="v4", home=HOMES.get(home, NOWHERE))[1]
    assert tuple(named(problem.sentence) for problem in problems) == expected


def test_parts_make_up_to_48_gib_and_a_form_takes_5():
    profile, clauses = read(parts="true", part_size='"5MiB"', max_size='"48GiB"')
    assert not clauses
    assert profile.max_size_bytes == 48 * GIB
    assert profile.for_forms() == profile._replace(max_size_bytes=5 * GIB)
    small, _ = read(parts="true")
    assert small.for_forms() == small


@pytest.mark.parametrize(
    ("option", "ours"), [({"parts": "true"}, 31), ({"hold": '["commit"]', "confirm": "true"}, 31 + 27)]
)
@pytest.mark.parametrize(("more", "is_enough"), [(0, True), (1, False)])
def test_metadata_leaves_room_for_the_upload_id_and_the_rules_of_a_hold(option, ours, more, is_enough):
    characters = 8192 - ours + more
    texts = {f"n{number}": "x" * 1024 for number in range(7)} | {"n7": "x" * (characters - 7 * 1024 - 16)}
    metadata = "{" + ", ".join(f'{name} = "{text}"' for name, text in texts.items()) + "}"
    assert read(metadata=metadata, **option)[1] == ["metadata"] * (not is_enough)
    assert read(metadata=metadata)[1] == []
