"""
A deployment in the local cloud: the profiles and the behaviour of a project, or the samples.
"""

import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.buckets import bucket_of
from local.oss.cors import EVERY_PAGE, CorsRule
from local.profiles import Profiles, toml_of


@dataclass(frozen=True)
class Deployment:
    """
    What the function is run with: files of a project, without its addresses, buckets and keys.

    Args:
        profiles: by name, in the buckets of the local cloud.

        profiles_file: has them, for the function.

        settings: variables of the function that concern its behaviour.

        is_demo: whether these are the samples of ``local/demo/``.
    """

    caller_auth: str
    profiles: Profiles
    profiles_file: Path
    settings: Mapping[str, str]
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


def prepared(
    caller_auth: str, profiles: Profiles, settings: Mapping[str, str], folder: Path, is_demo: bool
) -> Deployment:
    """
    Return a deployment, its profiles written for the function.

    Args:
        folder: gets a new one, for its files.
    """
    file = Path(tempfile.mkdtemp(dir=folder)) / "profiles.toml"
    file.write_text(toml_of(profiles), "utf-8")
    return Deployment(caller_auth, profiles, file, settings, is_demo)
