"""uploads.plan: the sizes that a form admits."""

import pytest

from function.errors import BadRequest, TooLarge
from function.uploads.plan import choose_size_range
from function.uploads.request import UploadRequest


@pytest.mark.parametrize(
    ("size", "outcome"),
    [(None, (2, 10)), (2, (2, 2)), (10, (10, 10)), (1, BadRequest), (11, TooLarge), (0, BadRequest)],
)
def test_the_profile_s_own_ends_are_inside(profile, size, outcome):
    wanted, rule = UploadRequest(size_bytes=size), profile(least=2, most=10)
    if isinstance(outcome, tuple):
        assert choose_size_range(wanted, rule) == outcome
        return
    with pytest.raises(outcome):
        choose_size_range(wanted, rule)
