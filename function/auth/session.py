"""Session token: proves a caller who has logged in, for ``TOKEN_SECONDS``."""

from collections.abc import Mapping
from datetime import datetime

from function.annotations import Any, NamedTuple
from function.auth import Caller, bearer_token, is_subject, owner_of
from function.auth import signed_tokens as tokens
from function.config.setting_table import CallerEntry
from function.config.settings import Settings


class SessionToken(NamedTuple):
    """Content of a session token; the subject is the caller's, such as an openid, the end in unix seconds."""

    subject: str
    expires_at: int

    @staticmethod
    def issue(subject: str, entry: CallerEntry, settings: Settings, now: datetime) -> str:
        """Return a token for this subject of this caller."""
        return tokens.issue_token(
            {"sub": subject, **tokens.scope_of(entry.app, settings.bucket)},
            audience=tokens.SESSION,
            secrets=settings.token_secrets,
            now=now,
            life=settings.token_life,
        )

    @classmethod
    def read(cls, text: str, entry: CallerEntry, settings: Settings, now: datetime) -> "SessionToken":
        """
        Return the content of a valid token of this caller and bucket; else raise ``Unauthorized``.

        Functions of several mini-programs may share a ``TOKEN_SECRET``.
        """
        scope = tokens.scope_of(entry.app, settings.bucket)
        claims = tokens.read_token(
            text, audience=tokens.SESSION, secrets=settings.token_secrets, now=now, scope=scope
        )
        issued_at: Any = claims.get("iat")
        if type(issued_at) not in tokens.NUMBERS:
            raise tokens.invalid_claim("iat")
        if not issued_at <= (now + tokens.CLOCK_LEEWAY).timestamp():
            raise tokens.invalid_token("issued in the future")
        # A holder of the secret can issue no token that outlives ours. In whole seconds, because an enormous
        # number fits into no float.
        if not claims["exp"] <= issued_at + int(settings.token_life.total_seconds()):
            raise tokens.invalid_token("lifetime over TOKEN_SECONDS")
        subject = claims.get("sub")
        if not is_subject(subject):
            raise tokens.invalid_claim("sub")
        return cls(subject, int(claims["exp"]))


def identify(headers: Mapping[str, str], entry: CallerEntry, settings: Settings, now: datetime) -> Caller:
    """Return the caller whose session token came with a request; raise ``Unauthorized`` without one."""
    subject = SessionToken.read(bearer_token(headers), entry, settings, now).subject
    return Caller(subject, owner_of(subject, settings.owner_secret, entry.owner_id), entry)
