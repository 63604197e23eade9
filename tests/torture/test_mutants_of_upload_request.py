"""What a wrong version of upload_request.py would get away with otherwise: edges, the table of types."""

from datetime import UTC, datetime, timedelta

import pytest

from function.body import read_json_object
from function.errors import BadRequest, TooLarge, UnsupportedType
from function.key_template import KeyTemplate
from function.oss.post_form import object_url
from function.profiles import Profile
from function.uploads.classic_page import refuse_among_several
from function.uploads.media_types import (
    EXTENSION_OF_TYPE,
    TYPE_OF_EXTENSION,
    choose_content_type,
    key_extension,
)
from function.uploads.plan import choose_size_range
from function.uploads.wanted import WantedFile, read_fields, read_files, read_query

NOW = datetime(2026, 1, 2, tzinfo=UTC)
TYPES = """
jpg image/jpeg  jpeg image/jpeg  png image/png  gif image/gif  webp image/webp  bmp image/bmp
heic image/heic  heif image/heif  avif image/avif  svg image/svg+xml  tif image/tiff  tiff image/tiff
mp4 video/mp4  m4v video/x-m4v  mov video/quicktime  avi video/x-msvideo  mkv video/x-matroska
webm video/webm  3gp video/3gpp  mp3 audio/mpeg  m4a audio/mp4  aac audio/aac  wav audio/wav  ogg audio/ogg
amr audio/amr  flac audio/flac  pdf application/pdf  doc application/msword  txt text/plain  csv text/csv
docx application/vnd.openxmlformats-officedocument.wordprocessingml.document
xls application/vnd.ms-excel  xlsx application/vnd.openxmlformats-officedocument.spreadsheetml.sheet
ppt application/vnd.ms-powerpoint
pptx application/vnd.openxmlformats-officedocument.presentationml.presentation
json application/json  xml application/xml  zip application/zip  rar application/vnd.rar
7z application/x-7z-compressed
""".split()


def profile(key="a/{id}{ext}", types=("*/*",), least=0, most=10):
    return Profile("p", KeyTemplate(key), most, least, types, timedelta(seconds=60), False, False, "v4", ())


def key_of(filename=None, content_type="", template="a/{id}{ext}"):
    extension = key_extension(filename, content_type)
    return KeyTemplate(template).render(owner="o", upload_id="i", now=NOW, extension=extension)


def test_each_extension_stands_for_its_registered_type():
    assert dict(zip(TYPES[::2], TYPES[1::2], strict=True)) == TYPE_OF_EXTENSION


def test_a_type_with_two_extensions_gets_the_first():
    assert (EXTENSION_OF_TYPE["image/jpeg"], EXTENSION_OF_TYPE["image/tiff"]) == ("jpg", "tif")


def wanted_of(body):
    fields = read_json_object(body)
    return read_files(fields["files"]) if "files" in fields else read_fields(fields)


def test_without_a_profile_it_is_the_default_one():
    assert wanted_of(b"").profile == WantedFile().profile == "default"
    assert read_query({}).profile == "default"


@pytest.mark.parametrize(
    ("field", "longest"),
    [("profile", "x" * 64), ("filename", "x" * 255), ("contentType", "a/b;" + "x" * 251)],
)
def test_the_longest_text_is_taken_and_one_character_more_is_not(field, longest):
    assert read_query({field: longest})
    with pytest.raises(BadRequest, match=f"^{field} must have at most {len(longest)} characters"):
        read_query({field: longest + "x"})


def test_an_empty_text_is_as_good_as_none():
    assert wanted_of(b'{"profile": "", "filename": "", "contentType": ""}') == WantedFile()


def test_a_text_of_one_tilde_is_none_of_the_empty_ones():
    assert wanted_of(b'{"profile": "~"}').profile == "~"


@pytest.mark.parametrize(("size", "is_taken"), [("0", True), ("1", True), ("-1", False)])
def test_a_size_begins_with_zero(size, is_taken):
    body = b'{"size": %s}' % size.encode()
    if is_taken:
        assert wanted_of(body).size_bytes == int(size)
        return
    with pytest.raises(BadRequest, match="^size must be"):
        wanted_of(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"filename": 5}', "filename"),
        (b'{"files": [{}, {"filename": 5}]}', r"files\[1\]\.filename"),
        (b'{"files": {"0": {}}}', "files"),
        (b'{"files": 5}', "files"),
        (b'{"files": "x"}', "files"),
    ],
)
def test_the_field_that_is_wrong_is_named_first(body, field):
    with pytest.raises(BadRequest, match=f"^{field} must be"):
        wanted_of(body)


def test_the_field_of_a_query_is_named_first():
    with pytest.raises(BadRequest, match="^filename must"):
        read_query({"filename": "\n"})


@pytest.mark.parametrize("value", ["x", "[]"])
def test_files_in_a_query_are_refused_and_not_overlooked(value):
    with pytest.raises(BadRequest, match="files needs a POST"):
        read_query({"files": value})


def test_an_empty_body_is_an_empty_object():
    assert read_json_object(b"") == {}


@pytest.mark.parametrize(
    "body", [b'{"a": 1, "a": 1}', b'{"a": NaN}', b'{"a": -Infinity}', b'{"x": {"a": 1, "a": 2}}']
)
def test_what_two_readers_could_read_differently_is_refused(body):
    with pytest.raises(BadRequest):
        read_json_object(body)


@pytest.mark.parametrize(
    ("filename", "key"),
    [
        ("a.png", "a/i.png"),
        ("x/y/a.png", "a/i.png"),
        ("x\\y\\a.png", "a/i.png"),
        ("x.d/a", "a/i"),
        ("x.d\\a", "a/i"),
        ("a.b~c", "a/i"),
        (".png", "a/i"),
        ("x/.png", "a/i"),
        ("x\\.png", "a/i"),
        ("png", "a/i"),
        ("", "a/i"),
        (None, "a/i"),
    ],
)
def test_an_extension_is_what_follows_the_last_dot_of_the_last_part(filename, key):
    assert key_of(filename) == key


def test_an_extension_comes_from_the_type_when_the_name_has_none():
    assert key_of("png", "image/jpeg") == "a/i.jpg"
    assert key_of("a.PNG", "image/jpeg") == "a/i.png"


def test_a_folder_ends_where_the_page_goes_on():
    assert key_of(template="test/{filename}") == "test/"


def test_every_placeholder_is_filled():
    assert key_of("a.b", template="f/{owner}/{yyyy}/{mm}/{dd}/{id}{ext}") == "f/o/2026/01/02/i.b"


@pytest.mark.parametrize(
    ("key", "path"),
    [("a/b-._~c.png", "a/b-._~c.png"), ("a b+&?#%", "a%20b%2B%26%3F%23%25"), ("猫", "%E7%8C%AB")],
)
def test_an_address_is_the_key_encoded(key, path):
    assert object_url("https://h", key) == f"https://h/{path}"


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
def test_a_type_that_nobody_said_is_the_profile_s_only_one_or_asked_for(types, filename, kind):
    wanted = WantedFile(filename=filename)
    if kind:
        assert choose_content_type(wanted, profile(types=types)) == kind
        return
    with pytest.raises(BadRequest, match="contentType is needed"):
        choose_content_type(wanted, profile(types=types))


def test_the_profile_s_only_type_does_not_overrule_the_caller_s():
    with pytest.raises(UnsupportedType) as raised:
        choose_content_type(WantedFile(filename="a.jpg"), profile(types=("image/png",)))
    assert raised.value.message == "contentType image/jpeg is not allowed here; allowed: image/png."


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


def test_the_file_whose_page_chooses_the_key_is_named():
    with pytest.raises(BadRequest) as raised:
        refuse_among_several([profile(), profile("a/{filename}")])
    assert raised.value.message.startswith("files[1].profile ")
    refuse_among_several([profile(), profile()])
