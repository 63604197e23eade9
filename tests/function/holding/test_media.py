"""holding.media: what WeChat is shown of which upload, and what only a human can judge."""

import pytest

from function.holding.media import AS_JPEG, AUDIO, MAX_BYTES, MAX_PROCESSED_BYTES, PICTURE, Media, media_of

AS_STORED, MADE_ANEW, SOUND = Media(PICTURE), Media(PICTURE, AS_JPEG), Media(AUDIO)


@pytest.mark.parametrize(
    ("content_type", "size", "media"),
    [
        *(
            (f"image/{name}", 9, AS_STORED)
            for name in ("jpeg", "jpg", "pjpeg", "png", "gif", "bmp", "x-ms-bmp")
        ),
        ("image/jpeg", MAX_BYTES, AS_STORED),
        ("image/jpeg", MAX_BYTES + 1, MADE_ANEW),
        ("image/png", MAX_PROCESSED_BYTES, MADE_ANEW),
        ("image/png", MAX_PROCESSED_BYTES + 1, None),
        *((f"image/{name}", 9, MADE_ANEW) for name in ("webp", "heic", "heif", "avif", "tiff", "x-unknown")),
        ("image/webp", MAX_PROCESSED_BYTES + 1, None),
        *((f"audio/{name}", 9, SOUND) for name in ("mpeg", "mp3", "aac", "aacp", "x-aac", "ac3", "x-ms-wma")),
        *(
            (f"audio/{name}", 9, SOUND)
            for name in ("flac", "x-flac", "ogg", "vorbis", "opus", "wav", "x-wav")
        ),
        *((f"audio/{name}", 9, SOUND) for name in ("wave", "vnd.wave")),
        ("audio/mpeg", MAX_BYTES, SOUND),
        ("audio/mpeg", MAX_BYTES + 1, None),
        *((kind, 9, None) for kind in ("audio/mp4", "audio/x-m4a", "audio/amr", "audio/midi")),
        *(
            (kind, 9, None)
            for kind in ("video/mp4", "application/pdf", "text/html", "", "images/png", "image")
        ),
    ],
)
def test_each_upload_is_shown_as_wechat_can_take_it(content_type, size, media):
    assert media_of(content_type, size) == media
