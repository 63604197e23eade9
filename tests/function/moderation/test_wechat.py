"""moderation.wechat: the files that WeChat can check, and in which form."""

from function.moderation.wechat import (
    AS_JPEG,
    MAX_BYTES,
    MAX_PROCESSED_BYTES,
    PICTURE,
    Media,
    media_of,
)
from tests.support.cases import cases_beside

cases = cases_beside(__file__)

JPEG = b"\xff\xd8\xff\xe0"


def test_the_limits_of_wechat_and_oss():
    assert (MAX_BYTES, MAX_PROCESSED_BYTES) == (10_000_000, 20_971_520)
    assert AS_JPEG == "image/resize,m_lfit,w_2048,h_2048/format,jpg"


KINDS = {
    "as stored": Media(PICTURE),
    "converted": Media(PICTURE, AS_JPEG),
    "sound": Media(1),
    "none": None,
}


@cases("kind", "size", "content_types")
def test_each_type_and_size_has_its_form(kind, size, content_types):
    for content_type in content_types.split():
        first_bytes = JPEG if content_type.startswith("image/") else b"anything"
        assert media_of(content_type, size, first_bytes) == KINDS[kind], content_type
    assert media_of("", 9, b"anything") is None


@cases("first_bytes", "picture", "sound")
def test_the_first_bytes_decide_the_form(first_bytes, picture, sound):
    """A phone shows more formats than WeChat opens: of any other, WeChat gets the JPEG that OSS makes."""
    for begins_with in (first_bytes, first_bytes.ljust(16, b"-")):
        assert media_of("image/jpeg", 9, begins_with) == KINDS[picture]
        assert media_of("audio/mpeg", 9, begins_with) == KINDS[sound]
