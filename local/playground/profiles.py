"""
Profiles as the playground's page gets them.
"""

from collections.abc import Mapping
from typing import Any

from local.buckets import bucket_of


def told_profiles(profiles: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    Args:
        profiles: as their file has them.

    Returns:
        Those that the page can show: it shows a form, and where the bytes are there already, there is none.
    """
    return [_told(name, profile) for name, profile in profiles.items() if "{sha256}" not in profile["key"]]


def _told(name: str, profile: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "title": profile.get("title", ""),
        "maxSize": profile["max_size"],
        # A page of the sample servers sends no type.
        "contentTypes": profile.get("content_types", ["*/*"]),
        "callback": profile.get("callback", False),
        "confirm": profile.get("confirm", False),
        "read": profile.get("read", ""),
        "parts": profile.get("parts", False),
        "hold": profile.get("hold", []),
        "bucket": bucket_of(profile),
        "callers": profile.get("callers", []),
        "variants": list(profile.get("variants", ())),
        # Pages of Alibaba's sample servers only: their answer has another shape.
        "classic": profile["key"].endswith("{filename}"),
    }
