"""
Token of ``/check-source``: admits WeChat to one held object.

It names the upload alone: a receipt would show the openid in the URL.
"""

from datetime import datetime

from function.annotations import NamedTuple
from function.auth import app_in
from function.auth.signed_tokens import (
    SOURCE,
    invalid_token,
    issue_token,
    read_token,
    scope_of,
    text_claim,
)
from function.config.key_template import RECORD_ID
from function.config.profile import CHECK_URL_LIFE
from function.config.settings import Settings


class SourceToken(NamedTuple):
    """
    Content of a token.

    Args:
        process: the image processing of OSS to apply, empty for none.
        app: of the caller, as its other tokens have it.
    """

    upload_id: str
    profile: str
    process: str
    app: str | None

    def issue(self, settings: Settings, now: datetime) -> str:
        """Return the text of this token."""
        bucket = settings.profiles[self.profile].location.bucket
        claims = {"upload": self.upload_id, "profile": self.profile, "process": self.process}
        return issue_token(
            {**claims, **scope_of(self.app, bucket)},
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
        if profile is None:
            raise invalid_token("its profile does not exist any more")
        app = app_in(claims, settings, profile.location.bucket)
        return cls(text_claim(claims, "upload", RECORD_ID), profile.name, text_claim(claims, "process"), app)
