"""uploads.plan: the sizes that a form admits."""

from datetime import timedelta

import pytest

from function.errors import BadRequest, TooLarge
from function.key_template import KeyTemplate
from function.profiles import Profile
from function.uploads.plan import choose_size_range
from function.uploads.wanted import WantedFile


def profile(key="a/{id}{ext}", types=("*/*",), least=0, most=10):
    return Profile("p", KeyTemplate(key), most, least, types, timedelta(seconds=60), False, False, "v4", ())


@pytest.mark.parametrize(
    ("size", "outcome"),
    [(None, (2, 10)), (2, (2, 2)), (10, (10, 10)), (1, BadRequest), (11, TooLarge), (0, BadRequest)],
)
def test_the_profile_s_own_ends_are_inside(size, outcome):
    wanted, rule = WantedFile(size_bytes=size), profile(least=2, most=10)
    if isinstance(outcome, tuple):
        assert choose_size_range(wanted, rule) == outcome
        return
    with pytest.raises(outcome):
        choose_size_range(wanted, rule)
