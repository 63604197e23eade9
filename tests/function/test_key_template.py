"""key_template: a template becomes a key."""

from datetime import UTC, datetime

from function.key_template import KeyTemplate
from function.uploads.media_types import (
    key_extension,
)

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def key_of(filename=None, content_type="", template="a/{id}{ext}"):
    extension = key_extension(filename, content_type)
    return KeyTemplate(template).render(owner="o", upload_id="i", now=NOW, extension=extension)


def test_a_folder_ends_where_the_page_goes_on():
    assert key_of(template="test/{filename}") == "test/"


def test_every_placeholder_is_filled():
    assert key_of("a.b", template="f/{owner}/{yyyy}/{mm}/{dd}/{id}{ext}") == "f/o/2026/01/02/i.b"
