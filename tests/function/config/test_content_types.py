"""Content types and file extensions."""

import re
from datetime import UTC, datetime

import pytest

from function.config.content_types import key_extension
from function.config.key_template import KeyTemplate


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


def key_of(filename, content_type):
    extension = key_extension(filename, content_type)
    return KeyTemplate("a/{id}{ext}").render(owner="o", upload_id="i", now=NOW, extension=extension)


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
