"""content_type: how a type is read."""

import pytest

from function.config.content_types import bare_type


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("image/png", "image/png"),
        (" Image/PNG ; q=1;x", "image/png"),
        ("a/b", "a/b"),
        (f"{'a' * 127}/{'9' * 127}", f"{'a' * 127}/{'9' * 127}"),
        *(
            (text, "")
            for text in ("", "image", "image/", "/png", "*/*", "a/b/c", "image/png\nx", ";image/png")
        ),
        *((text, "") for text in (f"{'a' * 128}/b", f"a/{'b' * 128}", "+a/b", "a/+b")),
    ],
)
def test_a_type_is_read_without_parameters_or_not_at_all(text, kind):
    assert bare_type(text) == kind
