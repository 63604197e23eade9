"""
Media that WeChat's check can inspect: it downloads the file and knows these types.

Source: https://developers.weixin.qq.com/miniprogram/dev/server/API/sec-center/sec-check/api_mediacheckasync.html
"""

from local.common.outgoing import exchange

AUDIO, PICTURE = 1, 2
LARGEST_BYTES = 10 * 1024 * 1024
# How long the real one waits is not known.
SECONDS = 15.0

# What a file of each begins with. Video, webp, heic and svg are not among what the page lists.
BEGINNINGS: dict[int, tuple[bytes, ...]] = {
    PICTURE: (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"BM"),
    AUDIO: (
        *(b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xf1", b"\xff\xf9", b"\x0b\x77"),
        *(b"fLaC", b"OggS", b"RIFF", b"\x30\x26\xb2\x75"),
    ),
}


def can_be_looked_at(url: str, media_type: int, takes_any_kind: bool = False) -> bool:
    """Return whether the URL serves a file of at most 10 MB and of a known type."""
    answer = exchange(url, SECONDS, LARGEST_BYTES)
    if answer is None or answer.status != 200:
        return False
    return takes_any_kind or answer.body.startswith(BEGINNINGS[media_type])
