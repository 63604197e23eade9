"""A deployment in the local cloud: the profiles and the behaviour of a project, or the samples."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.buckets import bucket_of
from local.oss.cors import EVERY_PAGE, CorsRule
from local.profiles import Profiles


@dataclass(frozen=True)
class Deployment:
    """
    What the function is run with: files of a project, without its addresses, buckets and keys.

    Args:
        profiles: by name, in the buckets of the local cloud.

        profiles_file: has them, for the function.

        settings: variables of the function that concern its behaviour.

        callers: of ``callers.toml``, without their secrets; none with one caller.

        is_demo: whether these are the samples of ``local/demo/``.
    """

    caller_auth: str
    profiles: Profiles
    profiles_file: Path
    settings: Mapping[str, str]
    callers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_demo: bool = False


def cors_rules(
    deployment: Deployment, bucket: str, pages: Callable[[], Iterable[str]]
) -> tuple[CorsRule, ...]:
    """
    Return the CORS rules of a bucket: what ``setup --h5-origin`` gives each of ``ALLOWED_ORIGINS``.

    Args:
        pages: gives the origins of the playground, which reads as well. With the samples any page may.
    """
    if deployment.is_demo:
        return EVERY_PAGE
    origins = deployment.settings.get("ALLOWED_ORIGINS", "").split(",")
    sends_parts = any(each.get("parts") for each in deployment.profiles.values() if bucket_of(each) == bucket)
    methods = ("POST", "PUT") if sends_parts else ("POST",)
    own = CorsRule(frozenset(each.strip() for each in origins), methods, "ETag, x-oss-request-id")
    return CorsRule(frozenset(pages())), own
