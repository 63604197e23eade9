"""Content types and file extensions."""

import re
from datetime import UTC, datetime

import pytest

from function.config.content_types import (
    EXTENSION_OF_TYPE,
    TYPE_OF_EXTENSION,
    bare_type,
    default_disposition,
    key_extension,
)
from function.config.key_template import KeyTemplate


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
def test_a_bare_type_has_no_parameters_and_a_malformed_one_is_empty(text, kind):
    assert bare_type(text) == kind


@pytest.mark.parametrize(
    "filename",
    [
        *("../../etc/passwd.png", "a/b/c.png", "C:\\photos\\c.png", "${filename}.png", "😀.png"),
        *("猫" * 80 + ".png", "wxfile://tmp_4185abc.png", "a.b.c.PNG", " .png.png", '"><script>.png'),
        *("%2e%2e%2f.png", "noextension", "a.verylongextension", "a.p/ng", "a.ＰＮＧ", "a.jp{id}"),
        *(".png", "..", "a.", "a.jpg", "x.html", "x.php", None),
    ],
)
def test_only_a_plain_extension_of_the_filename_reaches_the_key(instance, good_sts, filename):
    body = instance().ask(body={"filename": filename, "contentType": "image/png"}).json
    assert re.fullmatch(r"uploads/public/2026/11/24/[A-Za-z0-9_-]{22}\.png", body["key"])


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


def key_of(filename=None, content_type="", template="a/{id}{ext}"):
    extension = key_extension(filename, content_type)
    return KeyTemplate(template).render(owner="o", upload_id="i", now=NOW, extension=extension)


def test_extensions_have_their_registered_types():
    assert dict(zip(TYPES[::2], TYPES[1::2], strict=True)) == TYPE_OF_EXTENSION


def test_a_type_with_two_extensions_gets_the_first():
    assert (EXTENSION_OF_TYPE["image/jpeg"], EXTENSION_OF_TYPE["image/tiff"]) == ("jpg", "tif")


@pytest.mark.parametrize("filename", ["a.jpeg", "a.b.JPEG", "x/y/a.jpeg", "x\\y\\a.jpeg"])
def test_an_extension_follows_the_last_dot_of_the_last_part(filename):
    assert key_of(filename, "image/jpeg") == "a/i.jpeg"


@pytest.mark.parametrize(
    "filename",
    [
        *("jpeg/a", "x.jpeg/a", "x.jpeg\\a", "a.jpeg~c", ".jpeg", "x/.jpeg", "x\\.jpeg", "jpeg", ""),
        *("a.png", "a.b~c", None),
    ],
)
def test_without_an_extension_of_its_type_a_name_gets_one_by_the_type_alone(filename):
    assert key_of(filename, "image/jpeg") == "a/i.jpg"
    assert key_of(filename) == "a/i"


@pytest.mark.parametrize(
    ("filename", "content_type", "end"),
    [
        ("x.html", "image/png", ".png"),
        ("x.php", "image/png", ".png"),
        ("x.svg", "image/png", ".png"),
        ("x.png.exe", "image/png", ".png"),
        ("x.jpg", "image/jpg", ".jpg"),
        ("x.mp3", "audio/mp3", ".mp3"),
        ("x", "audio/x-m4a", ".m4a"),
        ("x", "audio/x-wav", ".wav"),
        ("x", "application/x-zip-compressed", ".zip"),
        ("x.html", "text/html", ""),
        ("x.png", "application/x-unheard-of", ""),
        ("x.exe", "application/octet-stream", ""),
    ],
)
def test_an_extension_belongs_to_the_stored_type(filename, content_type, end):
    assert key_of(filename, content_type) == f"a/i{end}"


def test_only_media_is_shown_in_place():
    shown = [default_disposition(f"{kind}/a") for kind in ("image", "video", "audio", "font")]
    assert shown == ["inline", "inline", "inline", "attachment"]
