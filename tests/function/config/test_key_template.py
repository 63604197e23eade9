"""key_template: a template is rendered to a key and read back."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from function.config.key_template import (
    CLEAN,
    DUE,
    ERASURES,
    PLACEHOLDERS,
    RECORD_ID,
    RECORDS,
    REVIEWS,
    KeyTemplate,
    held_name,
    is_held_name,
    is_plain,
    problems_of,
)
from tests.support import key_oracle

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OWNER, ID = "a2b3c4d5e6f7g2h3i4j5k6l7m2", "AbCdEfGhIjKlMnOpQrSt_-"


def render(template):
    return KeyTemplate(template).render(owner=OWNER, upload_id=ID, now=NOW, extension=".png")


PARTS = [name for name in PLACEHOLDERS if name != "filename"]
LITERAL = st.text(st.sampled_from("ab/.-_+图 e\u0301"), max_size=3)
TEMPLATES = st.builds(
    lambda folder, pieces, end: f"{folder or 'f'}/" + "".join(pieces) + end,
    LITERAL,
    st.lists(st.one_of(LITERAL, st.sampled_from(PARTS).map("{{{}}}".format)), max_size=5),
    st.sampled_from(["{id}", "{id}{ext}", "{sha256}", "/{filename}"]),
).filter(lambda text: not problems_of(text))
GIVEN = st.fixed_dictionaries(
    {
        "owner": st.sampled_from([OWNER, "public"]),
        "upload_id": st.sampled_from([ID, "-" * 22, "_" * 22]),
        "extension": st.sampled_from(["", ".a", ".jpg", ".a1b2c3d4e5"]),
        "sha256": st.sampled_from(["0" * 64, "f" * 64]),
        "now": st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)),
    }
)
CHANGES = st.lists(
    st.tuples(
        st.integers(0, 300), st.integers(0, 3), st.sampled_from(["", "/", "..", "a", "Z", "0", "é", "\n"])
    ),
    min_size=1,
    max_size=3,
)


@effort(max_examples=60)
@given(TEMPLATES, GIVEN)
def test_every_rendered_key_is_read_back(text, given):
    template = KeyTemplate(text)
    key = template.render(**given)
    if template.takes_filename:
        key += "name"
    found = template.read(key)
    assert found is not None
    assert (
        found.items()
        <= {
            "owner": given["owner"],
            "id": given["upload_id"],
            "ext": given["extension"],
            "sha256": given["sha256"],
            "yyyy": f"{given['now']:%Y}",
            "mm": f"{given['now']:%m}",
            "dd": f"{given['now']:%d}",
            "filename": "name",
        }.items()
    )


@effort(max_examples=60)
@given(TEMPLATES, GIVEN, CHANGES)
def test_changed_keys_are_read_as_the_oracle_reads_them(text, given, changes):
    template = KeyTemplate(text)
    key = template.render(**given)
    for at, count, piece in changes:
        key = key[: at % (len(key) + 1)] + piece + key[at % (len(key) + 1) + count :]
    assert template.read(key) == key_oracle.read(text, key)


UNSEEN = ["\x00", "\x1f", "\x7f", "\x80", "\x9f", "\u061c", "\u200e", "\u202e", "\u2066", "\u2069"]


@pytest.mark.parametrize("mark", UNSEEN, ids=ascii)
def test_invisible_characters_are_refused_in_templates_and_keys(mark):
    assert problems_of(f"a{mark}/{{id}}") == [f"key must not hold {mark!r}"]
    assert not is_plain(f"a/{mark}b")


@pytest.mark.parametrize("key", ["a/../b", "a/./b", "../a", "a/..", ".", "a/b/."])
def test_a_key_with_dot_parts_is_not_plain(key):
    assert not is_plain(key)


@pytest.mark.parametrize("template", ["uploads/{id}", "h/{owner}/{id}{ext}", "heldx/{id}"])
def test_no_template_gives_a_held_name_or_a_record(template):
    assert problems_of(template) == []
    assert not is_held_name(render(template))
    assert RECORDS == "held/."
    names = {name.removeprefix(RECORDS) for name in (DUE, REVIEWS, CLEAN, ERASURES)}
    assert names == {"due/", "review/", "clean/", "erasures/"}
    assert re.fullmatch(RECORD_ID, ID)
    assert not held_name(render(template)).startswith(RECORDS)
    assert problems_of(f"held/{template}") != []
