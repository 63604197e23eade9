"""What the tests of the uploads share: a profile out of a few words."""

import json
from collections.abc import Callable

import pytest

from function.config.profile import Profile
from function.config.profiles import read_profiles


@pytest.fixture
def profile() -> Callable[..., Profile]:
    def make(
        key: str = "a/{id}{ext}", types: tuple[str, ...] = ("*/*",), least: int = 0, most: int = 10
    ) -> Profile:
        text = f'[p]\nkey = "{key}"\nmax_size = {most}\nmin_size = {least}\nexpires_in = 60\n'
        profiles, problems = read_profiles(
            f"{text}content_types = {json.dumps(types)}\n", default_signature="v4"
        )
        assert not problems
        return profiles["p"]._replace(pinned=())

    return make
