"""uploads.plan: the type and the sizes that a form admits."""

import pytest

from function.errors import BadRequest, TooLarge, UnsupportedType
from function.uploads.request import UploadRequest, choose_content_type, choose_size_range


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


@pytest.mark.parametrize(
    ("types", "filename", "kind"),
    [
        (("image/png",), None, "image/png"),
        (("image/png",), "a.unknown", "image/png"),
        (("image/*",), "a.jpg", "image/jpeg"),
        (("image/png", "image/jpeg"), "a.png", "image/png"),
        (("image/*",), None, None),
        (("*/*",), None, None),
        (("image/png", "image/jpeg"), None, None),
    ],
)
def test_a_missing_type_is_the_profile_s_only_one_or_refused(profile, types, filename, kind):
    wanted = UploadRequest(filename=filename)
    if kind:
        assert choose_content_type(wanted, profile(types=types)) == kind
        return
    with pytest.raises(BadRequest):
        choose_content_type(wanted, profile(types=types))


def test_the_profile_s_only_type_does_not_override_a_known_extension(profile):
    with pytest.raises(UnsupportedType) as raised:
        choose_content_type(UploadRequest(filename="a.jpg"), profile(types=("image/png",)))
    assert "image/jpeg" in raised.value.message and "image/png" in raised.value.message
