"""What a mini-program can do with a deployment, and what each needs: a profile, its options, and settings."""

from collections.abc import Mapping
from typing import NamedTuple

from ops.terminal.language import Text


class Feature(NamedTuple):
    """
    Args:
        title: for people.
        profile: the one that the example mini-program uses for it; quota and labels are for all.
        options: of that profile, with their values as ``profiles.toml`` has them.
    """

    title: Text
    profile: str
    options: Mapping[str, str]


OF_LABELS = {"confirm": "true", "ai_label": "true"}
FEATURES = {
    "avatar": Feature(
        Text("avatar", "头像"),
        "avatar",
        {"confirm": "true", "read": '"callers"', "delete": '"owner"'},
    ),
    "pictures": Feature(
        Text("my pictures", "我的图片"),
        "default",
        {"confirm": "true", "read": '"owner"', "list": "true", "delete": '"owner"'},
    ),
    "check": Feature(
        Text("posts, checked before they are shown", "先审后发"),
        "post",
        # The example's page has a tick for a declaration.
        {"confirm": "true", "read": '"callers"', "hold": '["commit", "check"]', "ai_label": "true"},
    ),
    "video": Feature(Text("large videos", "大视频"), "video", {"parts": "true", "confirm": "true"}),
    "quota": Feature(Text("quota", "配额"), "default", {"files_per_day": "100"}),
    "ai-label": Feature(Text("labels of AI-made content", "生成合成标识"), "default", OF_LABELS),
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
