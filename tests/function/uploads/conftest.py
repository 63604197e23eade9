"""What the tests of the uploads share: a profile out of a few words."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from function.key_template import KeyTemplate
from function.profiles import Profile


@pytest.fixture
def profile() -> Callable[..., Profile]:
    def make(
        key: str = "a/{id}{ext}", types: tuple[str, ...] = ("*/*",), least: int = 0, most: int = 10
    ) -> Profile:
        life = timedelta(seconds=60)
        return Profile("p", KeyTemplate(key), most, least, types, life, False, False, "v4", ())

    return make
