"""
Token of ``/check-source``: admits WeChat to one held object.

It names the upload alone: a receipt would show the openid in the URL.
"""

from datetime import datetime

from function.annotations import NamedTuple
from function.auth.signed_tokens import (
    SOURCE,
    invalid_token,
    issue_token,
    matches_scope,
    read_token,
    text_claim,
)
from function.config.key_template import RECORD_ID
from function.config.profile import CHECK_URL_LIFE
from function.config.settings import Settings


class SourceToken(NamedTuple):
    """Content of a token; ``process`` is the image processing of OSS to apply, empty for none."""

    upload_id: str
    profile: str
    process: str

    def issue(self, settings: Settings, now: datetime) -> str:
        """Return the text of this token."""
        bucket = settings.profiles[self.profile].location.bucket
        claims = {"upload": self.upload_id, "profile": self.profile, "process": self.process}
        return issue_token(
            {**claims, **settings.token_scope(bucket)},
            audience=SOURCE,
            secrets=settings.token_secrets,
            now=now,
            life=CHECK_URL_LIFE,
        )

    @classmethod
    def read(cls, text: str, settings: Settings, now: datetime) -> "SourceToken":
        """Return the content of a valid token of this app and its profile's bucket; else ``Unauthorized``."""
        claims = read_token(text, audience=SOURCE, secrets=settings.token_secrets, now=now)
        profile = settings.profiles.get(text_claim(claims, "profile"))
        if profile is None or not matches_scope(claims, settings.token_scope(profile.location.bucket)):
            raise invalid_token("for another app, bucket or profile")
        return cls(text_claim(claims, "upload", RECORD_ID), profile.name, text_claim(claims, "process"))
