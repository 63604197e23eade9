"""
What a mini-program can do with a deployment, and what each needs: a profile, its options, and settings.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ops.terminal.language import Text


class Feature(NamedTuple):
    """
    Args:
        title: for people.

        profile: the one that the example mini-program uses for it.

        options: of that profile, with their values as ``profiles.toml`` has them.

        settings: variables that these options need, besides what every deployment has.
    """

    title: Text
    profile: str
    options: Mapping[str, str]
    settings: tuple[str, ...] = ()


FEATURES = {
    "avatar": Feature(
        Text("avatar", "头像"),
        "avatar",
        {"confirm": "true", "read": '"callers"', "delete": '"owner"'},
        ("TOKEN_SECRET",),
    ),
    "pictures": Feature(
        Text("my pictures", "我的图片"),
        "default",
        {"confirm": "true", "read": '"owner"', "list": "true", "delete": '"owner"'},
        ("TOKEN_SECRET",),
    ),
    "check": Feature(
        Text("posts, checked before they are shown", "先审后发"),
        "post",
        {"confirm": "true", "read": '"callers"', "hold": '["commit", "check"]'},
        ("TOKEN_SECRET", "WECHAT_PUSH_TOKEN", "WECHAT_PUSH_AES_KEY", "STS_SESSION_SECONDS"),
    ),
    "video": Feature(
        Text("large videos", "大视频"), "video", {"parts": "true", "confirm": "true"}, ("TOKEN_SECRET",)
    ),
    "quota": Feature(
        Text("quota", "配额"), "default", {"files_per_day": "100"}, ("QUOTA_URL", "QUOTA_WHEN_DOWN")
    ),
}
# The route that is not_found where no profile has the option; a quota has none.
ROUTE_OF = {
    "confirm": "confirm",
    "read": "read",
    "parts": "multipart",
    "hold": "status",
    "list": "list",
    "delete": "delete",
}
