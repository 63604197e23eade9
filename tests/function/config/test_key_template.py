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
    published_name,
)
from tests.support import key_oracle

NOW = datetime(2026, 1, 2, tzinfo=UTC)
OWNER, ID = "a2b3c4d5e6f7g2h3i4j5k6l7m2", "AbCdEfGhIjKlMnOpQrSt_-"
WHOLE = "f/{owner}/{yyyy}/{mm}/{dd}/{id}{ext}"


def render(template, owner=OWNER, upload_id=ID, extension=".png"):
    return KeyTemplate(template).render(owner=owner, upload_id=upload_id, now=NOW, extension=extension)


@pytest.mark.parametrize(
    ("text", "begins", "prefix", "prefix_with_hooks"),
    [
        ("a/{owner}/{id}{ext}", True, "a/%s/", "a/%s/"),
        ("a/b/{owner}/x/{id}", True, "a/b/%s/x/", "a/b/%s/"),
        ("tight/{owner}-{id}", True, "tight/%s-", "tight/%s-"),
        ("tight/{owner}{id}", True, "tight/%s", "tight/%s"),
        ("a/b{owner}/{id}", False, None, None),
        ("a/{yyyy}/{owner}/{id}", False, None, None),
        ("a/{id}", False, None, None),
    ],
)
def test_an_owner_s_keys_share_a_prefix_up_to_the_next_placeholder(text, begins, prefix, prefix_with_hooks):
    template = KeyTemplate(text, has_owned_folders=True)
    assert template.begins_with_owner is begins
    if begins:
        hooked = template._replace(has_inner_folders=True)
        assert (template.prefix_of(OWNER), hooked.prefix_of(OWNER)) == (
            prefix % OWNER,
            prefix_with_hooks % OWNER,
        )
        # Elsewhere folders of hooks would stand before the owner, and the prefix be everybody's.
        assert hooked._replace(has_owned_folders=False).prefix_of(OWNER) == prefix % OWNER


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("a/{owner}/{id}", "a/{owner}/shop/7/{id}"),
        ("a/{owner}/x/{owner}{id}", "a/{owner}/shop/7/x/{owner}{id}"),
        ("tight/{owner}-{id}", None),
    ],
)
def test_folders_of_hooks_stand_inside_the_owner_s_own(text, inside):
    template = KeyTemplate(text, has_inner_folders=True, has_owned_folders=True)
    narrowed = template.inside("shop/7")
    assert (narrowed and narrowed.text) == inside
    for made in filter(None, (narrowed, template)):
        key = made.render(owner=OWNER, upload_id=ID, now=NOW, extension="")
        assert template.read(key) == {"owner": OWNER, "id": ID}
    assert template.read(f"a/shop/{OWNER}/{ID}") is None


def test_every_placeholder_is_filled():
    assert render(WHOLE) == f"f/{OWNER}/2026/01/02/{ID}.png"


def test_the_key_of_a_page_is_its_folder():
    assert render("test/{filename}") == "test/"


@pytest.mark.parametrize(
    ("template", "takes_filename", "folder"),
    [
        ("a/b/{filename}", True, "a/b/"),
        ("a/{owner}/{filename}", True, "a/"),
        ("a/b-{id}", False, "a/"),
        ("a/b/{owner}/{id}", False, "a/b/"),
    ],
)
def test_the_literal_folder_is_the_fixed_start(template, takes_filename, folder):
    assert KeyTemplate(template).takes_filename is takes_filename
    assert KeyTemplate(template).literal_folder == folder


@pytest.mark.parametrize("owner", [OWNER, "public"])
@pytest.mark.parametrize("extension", ["", ".jpg", ".a1b2c3d4e5"])
def test_a_key_is_read_back_into_its_values(owner, extension):
    key = render(WHOLE, owner=owner, extension=extension)
    assert KeyTemplate(WHOLE).read(key) == {
        "owner": owner,
        "yyyy": "2026",
        "mm": "01",
        "dd": "02",
        "id": ID,
        "ext": extension,
    }


def test_the_key_of_a_page_is_read_back_into_its_filename():
    assert KeyTemplate("test/{filename}").read("test/猫 1.png") == {"filename": "猫 1.png"}


@pytest.mark.parametrize(
    "key",
    [
        f"g/{OWNER}/2026/01/02/{ID}.png",
        f"f/{OWNER[1:]}/2026/01/02/{ID}.png",
        f"f/{OWNER}2/2026/01/02/{ID}.png",
        f"f/{OWNER.upper()}/2026/01/02/{ID}.png",
        f"f/public2/2026/01/02/{ID}.png",
        f"f/{OWNER}/26/01/02/{ID}.png",
        f"f/{OWNER}/2026/00/02/{ID}.png",
        f"f/{OWNER}/2026/13/02/{ID}.png",
        f"f/{OWNER}/2026/01/00/{ID}.png",
        f"f/{OWNER}/2026/01/32/{ID}.png",
        f"f/{OWNER}/2026/01/02/{ID[1:]}.png",
        f"f/{OWNER}/2026/01/02/{ID[1:]}+.png",
        f"f/{OWNER}/2026/01/02/{ID}.PNG",
        f"f/{OWNER}/2026/01/02/{ID}.a1b2c3d4e5f",
        f"f/{OWNER}/2026/01/02/{ID}.",
        f"f/{OWNER}/2026/01/02/{ID}.png\n",
        f"f/{OWNER}/2026/01/02/x/{ID}.png",
        f" f/{OWNER}/2026/01/02/{ID}.png",
        "",
    ],
)
def test_a_key_of_another_form_is_not_read(key):
    assert KeyTemplate(WHOLE).read(key) is None


@pytest.mark.parametrize("key", ["test/", "test/a/b.png", "test", "tests/a.png", "x/test/a.png"])
def test_a_key_of_another_folder_or_depth_is_not_a_page_s(key):
    assert KeyTemplate("test/{filename}").read(key) is None


def test_every_month_and_day_is_read():
    template = KeyTemplate("f/{mm}/{dd}/{id}")
    for month in range(1, 13):
        for day in range(1, 32):
            found = template.read(f"f/{month:02}/{day:02}/{ID}")
            assert (found["mm"], found["dd"]) == (f"{month:02}", f"{day:02}")


def test_a_repeated_placeholder_has_one_value():
    template = KeyTemplate("f/{id}/{id}{ext}")
    other = ID.replace("A", "B")
    assert template.read(f"f/{ID}/{ID}.png") == {"id": ID, "ext": ".png"}
    assert template.read(f"f/{ID}/{other}.png") is None


def test_fixed_text_is_not_a_pattern():
    template = KeyTemplate("a.b+(c)[d]/{id}")
    assert template.read(f"a.b+(c)[d]/{ID}") == {"id": ID}
    assert template.read(f"aXb+(c)[d]/{ID}") is None


DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("template", "takes_digest", "is_named_by_digest"),
    [
        ("f/{owner}/{sha256}{ext}", True, True),
        ("f/{sha256}/{id}", True, False),
        ("f/{id}", False, False),
        ("f/{filename}", False, False),
    ],
)
def test_a_template_with_a_digest_and_no_id_is_named_by_digest(template, takes_digest, is_named_by_digest):
    assert KeyTemplate(template).takes_digest is takes_digest
    assert KeyTemplate(template).is_named_by_digest is is_named_by_digest


@pytest.mark.parametrize(("more", "found"), [(0, []), (1, [1024])])
def test_the_longest_key_includes_its_placeholders(more, found):
    long = {"owner": 26, "yyyy": 4, "mm": 2, "dd": 2, "id": 22, "sha256": 64, "ext": 11}
    text = "f/" + "".join(f"{{{name}}}" for name in long)
    text += "x" * (1023 - 2 - sum(long.values()) + more)
    assert [int(word) for problem in problems_of(text) for word in re.findall(r"\d{4,}", problem)][
        :1
    ] == found


def test_a_digest_is_written_and_read_back():
    template = KeyTemplate("f/{owner}/{sha256}{ext}")
    key = template.render(owner=OWNER, upload_id=ID, now=NOW, extension=".png", sha256=DIGEST)
    assert key == f"f/{OWNER}/{DIGEST}.png"
    assert template.read(key) == {"owner": OWNER, "sha256": DIGEST, "ext": ".png"}
    for other in (
        key.replace("f.png", ".png"),
        key.replace("f.png", "F.png"),
        key.replace("f.png", "f0.png"),
    ):
        assert template.read(other) is None


@pytest.mark.parametrize(("template", "is_right"), [("f/{sha256}", True), ("f/{owner}", False)])
def test_a_name_needs_an_id_or_a_digest(template, is_right):
    assert (problems_of(template) == []) is is_right


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


@pytest.mark.parametrize("key", ["a/b.png", "a/..b", "a/b..", "a/...", "图片/猫 1~\xa0.png", "a//b"])
def test_any_other_key_is_plain(key):
    assert is_plain(key) is True


def test_a_held_name_contains_the_published_one():
    key = render(WHOLE)
    assert held_name(key) == f"held/{key}"
    assert [is_held_name(name) for name in (held_name(key), key, "held", "helds/a")] == [
        True,
        False,
        False,
        False,
    ]
    assert published_name(held_name(key)) == published_name(key) == key
    # A key may have such a folder further down.
    assert published_name("a/held/b") == "a/held/b"


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


@pytest.mark.parametrize("template", [WHOLE, "图/{sha256}{ext}", "a/{id}", "a/{filename}"])
def test_no_key_is_longer_than_longest_bytes_of_its_template(template):
    key = KeyTemplate(template).render(
        owner=OWNER, upload_id=ID, now=NOW, extension=".a1b2c3d4e5", sha256="0" * 64
    )
    assert len(key.encode()) == KeyTemplate(template).longest_bytes
