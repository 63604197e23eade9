"""Tickets: signed tokens that bind later requests about an upload to what was signed for it."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from function.annotations import Any, NamedTuple
from function.auth import app_in
from function.auth import signed_tokens as tokens
from function.config.key_template import RECORD_ID, is_plain
from function.config.profile import MAX_PARTS, Profile
from function.config.profiles import problem_in
from function.config.settings import Settings
from function.errors import BadRequest, Forbidden, Misconfigured, Unauthorized
from function.messages import Message
from function.request_log import readable_traceparent
from function.uploads.request import is_small_json

# A receipt says a little more than its ticket, and is read by the same rule.
MAX_FORM_TICKET_CHARACTERS = tokens.MAX_TOKEN_CHARACTERS - 256
# OSS calls back when the upload ends, which may be later than the form's own end.
LIFE_BEYOND_FORM = timedelta(hours=1)


class FormTicket(NamedTuple):
    """
    Content of the ticket that goes with a form: whose upload it is, and what the form admits.

    Args:
        key: of the object, or the folder that a page chooses a name in (``is_folder``).
        content_type: empty where a page chooses it.
        context: for the receipt, as ``sha256`` and ``replaces``.
        ai_declared: whether the user says that the content was made with AI.
        app: of the caller, as its other tokens have it.
        trace: a ``traceparent``.
    """

    upload_id: str
    key: str
    is_folder: bool
    content_type: str
    min_size_bytes: int
    max_size_bytes: int
    profile: str
    subject: str
    owner: str
    context: Mapping[str, Any] | None
    sha256: str | None
    trace: str | None
    issued_at: datetime
    replaces: str | None = None
    ai_declared: bool = False
    app: str | None = None

    def issue(self, settings: Settings, profile: Profile) -> str:
        """
        Return a token that is valid for an hour longer than its form.

        It repeats what the form admits, because OSS signs any callback that a form names. A token longer than
        what we read is ``Misconfigured``.
        """
        claims = {
            "jti": self.upload_id,
            "folder" if self.is_folder else "key": self.key,
            "type": self.content_type,
            "sizes": [self.min_size_bytes, self.max_size_bytes],
            "profile": self.profile,
            "sub": self.subject,
            "owner": self.owner,
            **tokens.scope_of(self.app, profile.location.bucket),
            **_optional(self),
        }
        life, secrets = profile.expires_in + LIFE_BEYOND_FORM, settings.token_secrets
        ticket = tokens.issue_token(
            claims, audience=tokens.TICKET, secrets=secrets, now=self.issued_at, life=life
        )
        # With a callback its field decides, of which OSS takes less than that.
        if len(ticket) > MAX_FORM_TICKET_CHARACTERS and not profile.callback:
            raise Misconfigured([problem_in(profile.name, Message("its key is too long for confirm = true"))])
        return ticket

    @classmethod
    def read(cls, text: str, settings: Settings, now: datetime) -> "FormTicket":
        """Return the content of a valid ticket of an existing profile; else raise ``Forbidden``."""
        try:
            claims = tokens.read_token(text, audience=tokens.TICKET, secrets=settings.token_secrets, now=now)
            sizes = claims.get("sizes")
            if not isinstance(sizes, list) or len(sizes) != 2 or not all(map(tokens.is_count, sizes)):
                raise tokens.invalid_claim("sizes")
            is_folder = "folder" in claims
            return cls(
                key=tokens.text_claim(claims, "folder")
                if is_folder
                else tokens.text_claim(claims, "key", tokens.KEY),
                is_folder=is_folder,
                min_size_bytes=sizes[0],
                max_size_bytes=sizes[1],
                trace=_trace(claims),
                **_common(claims, settings),
            )
        except Unauthorized as error:
            raise invalid_ticket(f"ticket: {error.reason}") from None

    def admits_key(self, key: str) -> bool:
        """Return whether the form admitted this key; it has no control characters or dot segments then."""
        if not key or not is_plain(key):
            return False
        if self.is_folder and self.key:
            return key.startswith(self.key) and key != self.key
        return key == self.key

    def admits_file(self, size_bytes: int, content_type: str) -> bool:
        """Return whether the form admitted this many bytes of this type."""
        is_type = self.content_type in ("", content_type)
        return is_type and self.min_size_bytes <= size_bytes <= self.max_size_bytes


class MultipartTicket(NamedTuple):
    """
    Content of the ticket of a multipart upload: all that another instance needs to go on with it.

    Args:
        oss_id: OSS's own id of the upload; callers know it by ``upload_id``.
        key: where the object will be stored.
        part_size_bytes: of each part but the last, which has the rest.
        content_type: lower case, without parameters.
        context: for the receipt, as ``sha256`` and ``replaces``.
        ai_declared: whether the user says that the content was made with AI.
        app: of the caller, as its other tokens have it.
    """

    upload_id: str
    oss_id: str
    key: str
    size_bytes: int
    part_size_bytes: int
    content_type: str
    profile: str
    subject: str
    owner: str
    context: Mapping[str, Any] | None
    sha256: str | None
    issued_at: datetime
    expires_at: datetime
    replaces: str | None = None
    ai_declared: bool = False
    app: str | None = None

    def issue(self, settings: Settings) -> str:
        """
        Return the token, signed and not encrypted.

        The caller may read OSS's id of the upload, which stands in each part's URL and is useless by itself.
        """
        claims = {
            "sub": self.subject,
            "owner": self.owner,
            "profile": self.profile,
            **_optional(self),
            "jti": self.upload_id,
            "upload": self.oss_id,
            "key": self.key,
            "size": self.size_bytes,
            "part": self.part_size_bytes,
            "type": self.content_type,
            **tokens.scope_of(self.app, settings.profiles[self.profile].location.bucket),
        }
        return tokens.issue_token(
            claims,
            audience=tokens.PARTS,
            secrets=settings.token_secrets,
            now=self.issued_at,
            life=self.expires_at - self.issued_at,
        )

    @classmethod
    def read(cls, text: str, settings: Settings, now: datetime) -> "MultipartTicket":
        """Return the content of a valid ticket of a profile that takes parts; else raise ``Forbidden``."""
        try:
            claims = tokens.read_token(text, audience=tokens.PARTS, secrets=settings.token_secrets, now=now)
            ticket = cls(
                oss_id=tokens.text_claim(claims, "upload"),
                key=tokens.text_claim(claims, "key", tokens.KEY),
                size_bytes=tokens.count_claim(claims, "size"),
                part_size_bytes=tokens.count_claim(claims, "part"),
                expires_at=tokens.time_claim(claims, "exp"),
                **_common(claims, settings),
            )
            if not 0 < ticket.size_bytes <= ticket.part_size_bytes * MAX_PARTS:
                raise tokens.invalid_claim("size")
            if not settings.profiles[ticket.profile].parts:
                raise tokens.invalid_token("its profile takes no multipart uploads any more")
        except Unauthorized as error:
            raise invalid_ticket(f"ticket: {error.reason}") from None
        return ticket

    @property
    def part_count(self) -> int:
        return -(-self.size_bytes // self.part_size_bytes)

    def bytes_of(self, number: int) -> int:
        """Return the length of a part; the first is number 1."""
        begins = (number - 1) * self.part_size_bytes
        return min(self.part_size_bytes, self.size_bytes - begins)


def _optional(ticket: FormTicket | MultipartTicket) -> dict[str, Any]:
    named = {name: getattr(ticket, name, None) for name in ("context", "sha256", "trace", "replaces")}
    declared = {"aiDeclared": True} if ticket.ai_declared else {}
    return {**{name: value for name, value in named.items() if value is not None}, **declared}


def _common(claims: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the fields that both kinds of tickets have, once their profile, app and bucket are checked."""
    profile = settings.profiles.get(tokens.text_claim(claims, "profile"))
    if profile is None:
        raise tokens.invalid_token("its profile does not exist any more")
    app = app_in(claims, settings, profile.location.bucket)
    context = claims.get("context")
    if context is not None and not (isinstance(context, dict) and is_small_json(context)):
        raise tokens.invalid_claim("context")
    return {
        "upload_id": tokens.text_claim(claims, "jti", RECORD_ID),
        "content_type": tokens.text_claim(claims, "type"),
        "issued_at": tokens.time_claim(claims, "iat"),
        "profile": profile.name,
        "subject": tokens.text_claim(claims, "sub", tokens.SUBJECT),
        "owner": tokens.text_claim(claims, "owner"),
        "context": context,
        "sha256": tokens.text_claim(claims, "sha256") if "sha256" in claims else None,
        "replaces": tokens.text_claim(claims, "replaces", tokens.KEY) if "replaces" in claims else None,
        "ai_declared": claims.get("aiDeclared") is True,
        "app": app,
    }


def _trace(claims: Mapping[str, Any]) -> str | None:
    if "trace" not in claims:
        return None
    if trace := readable_traceparent(tokens.text_claim(claims, "trace")):
        return trace
    raise tokens.invalid_claim("trace")


def ticket_in(fields: Mapping[str, Any]) -> str:
    """Return the text of the ticket in the body of a request; raise ``BadRequest`` if there is none."""
    ticket = fields.get("ticket")
    if not isinstance(ticket, str) or not ticket:
        raise BadRequest("ticket must be a non-empty string.")
    return ticket


def invalid_ticket(reason: str) -> Forbidden:
    """Return the refusal of a ticket, or of an upload that it does not fit; the reason is for the log."""
    return Forbidden("Unknown or invalid upload ticket.", reason=reason)
