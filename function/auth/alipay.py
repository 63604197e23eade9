"""Users of an Alipay mini-program: they exchange a code of ``my.getAuthCode`` for a session token."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from urllib.parse import urlencode

from function.annotations import Any, NamedTuple
from function.auth import Caller, caller_from_subject, is_subject, login_code, session
from function.config import types
from function.config.profile import Profile
from function.config.setting_table import CallerEntry, CallerKind, Setting
from function.config.settings import Settings
from function.errors import Problem, UploadError
from function.http.client import Send
from function.http.json_body import object_in
from function.messages import Message

CALL = "alipay.system.oauth.token"
FORM = "application/x-www-form-urlencoded;charset=utf-8"
BEIJING = timezone(timedelta(hours=8))
MIN_RSA_BITS = 2048
# A login is an answer that begins so; ``error_response`` is none, whatever it holds.
START = '{"alipay_system_oauth_token_response":'
SUCCESS = "10000"
# No digits among letters: a login code has both, and an error must not show it.
ERROR_CODE = "[0-9]{1,8}|[A-Za-z._-]{1,64}"
WRONG_SETTING = {
    "isv.invalid-app-id": "ALIPAY_APP_ID",
    "isv.missing-app-id": "ALIPAY_APP_ID",
    "isv.invalid-signature": "ALIPAY_KEY",
    "isv.missing-signature-key": "ALIPAY_KEY",
}


class AlipayApp(NamedTuple):
    """
    The mini-program, as Alipay's gateway knows it; ``endpoint`` is an origin.

    Args:
        key: the app's private key, DER.
        public_key: Alipay's, not the app's, DER.
        identity: the field that names a user: ``open_id``, or ``user_id``, which older apps have.
    """

    app_id: str
    key: bytes
    public_key: bytes
    identity: str
    endpoint: str

    def __repr__(self) -> str:
        return f"AlipayApp({self.app_id})"


def prepare() -> None:
    """Import what signs a login."""
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: F401 - for the first caller
    from cryptography.hazmat.primitives.asymmetric import padding  # noqa: F401


def log_in(code: str, entry: CallerEntry, settings: Settings, send: Send, now: datetime) -> Caller:
    """Return the caller whom a code of ``my.getAuthCode`` names; each failure has its error."""
    return caller_from_subject(open_id_of(code, entry.settings, send, now), entry, settings)


def open_id_of(code: str, app: AlipayApp, send: Send, now: datetime) -> str:
    """
    Exchange a code for the user's id at Alipay; the tokens beside it are dropped.

    Source: https://opendocs.alipay.com/mini/84bc7352_alipay.system.oauth.token
    """
    fields = {
        "app_id": app.app_id,
        "method": CALL,
        "format": "JSON",
        "charset": "utf-8",
        "sign_type": "RSA2",
        "timestamp": f"{now.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}",
        "version": "1.0",
        "grant_type": "authorization_code",
        "code": code,
    }
    body = urlencode({**fields, "sign": _signature(fields, app.key)}).encode()
    response = login_code.post_code(send, f"{app.endpoint}/gateway.do", body, FORM, CALL)
    subject = _signed_node(response.decode(errors="replace"), app.public_key).get(app.identity)
    # The other id would be another owner.
    if not is_subject(subject):
        raise login_code.refused(f"{CALL} without {app.identity}")
    return subject


def _signature(fields: Mapping[str, str], key: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    text = "&".join(f"{name}={value}" for name, value in sorted(fields.items()))
    private: Any = load_der_private_key(key, None, unsafe_skip_rsa_key_validation=True)
    return b64encode(private.sign(text.encode(), PKCS1v15(), SHA256())).decode()


def _signed_node(text: str, public_key: bytes) -> dict[str, Any]:
    """
    Return the fields of a login, read from exactly the text that Alipay has signed.

    A parser of the whole text would take a second node of the same name, which nobody has signed.
    """
    node, end = None, 0
    if text.startswith(START):
        try:
            node, end = json.JSONDecoder().raw_decode(text, len(START))
        except (ValueError, RecursionError):
            raise login_code.refused(f"{CALL} without JSON") from None
    if not isinstance(node, dict) or node.get("code", SUCCESS) != SUCCESS:
        raise _error(node or (object_in(text) or {}).get("error_response"))
    rest = object_in("{" + text[end + 1 :]) or {}
    if "sign" not in rest:
        raise login_code.refused(f"{CALL} unsigned")
    if not _is_signed(text[len(START) : end], rest["sign"], public_key):
        raise login_code.wrong_setting("ALIPAY_PUBLIC_KEY", f"{CALL}: another signature")
    return node


def _is_signed(text: str, signature: Any, public_key: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    public: Any = load_der_public_key(public_key)
    try:
        public.verify(b64decode(signature, validate=True), text.encode(), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _error(error: object) -> UploadError:
    """Return the error for what Alipay says; ``sub_msg`` may quote the code, so it is never shown."""
    found = error if isinstance(error, dict) else {}
    shown = [str(found.get(name, "")) for name in ("code", "sub_code")]
    code, sub_code = (text if re.fullmatch(ERROR_CODE, text) else "" for text in shown)
    if not code:
        return login_code.refused(f"{CALL} without a login")
    reason, upstream = f"{CALL} {code} {sub_code}".rstrip(), sub_code or code
    if sub_code == "isv.code-invalid":
        return login_code.wrong_code(reason, upstream)
    # Of the gateway, or too many calls of the app.
    if code in ("20000", "40005"):
        return login_code.unavailable(reason, upstream)
    # The app may not call this method.
    if name := "ALIPAY_APP_ID" if code == "40006" else WRONG_SETTING.get(sub_code):
        return login_code.wrong_setting(name, reason, upstream)
    return login_code.refused(reason, upstream)


def _der(text: str) -> bytes:
    """Return a key that is in PEM, or in base64 as consoles show it; empty if it is neither."""
    # Many consoles keep one line only, so a PEM arrives with \\n written out.
    lines = re.sub("-----[A-Z ]+-----", "", text.replace("\\n", "\n"))
    try:
        return b64decode("".join(lines.split()), validate=True)
    except ValueError:
        return b""


def _problems(
    values: Mapping[str, Any], _profiles: Iterable[Profile], _refused: Container[str]
) -> Iterator[Problem]:
    """Check both keys; a sentence never shows one."""
    own, public = (
        _checked(values[name], is_private) if name in values else None
        for name, is_private in (("ALIPAY_KEY", True), ("ALIPAY_PUBLIC_KEY", False))
    )
    if isinstance(own, Message):
        sentence = Message("ALIPAY_KEY must be the app's private key: {problem}", problem=own)
        yield Problem("ALIPAY_KEY", sentence)
    if isinstance(public, Message):
        sentence = Message("ALIPAY_PUBLIC_KEY must be Alipay's public key: {problem}", problem=public)
        yield Problem("ALIPAY_PUBLIC_KEY", sentence)
    elif own and not isinstance(own, Message) and own.public_key() == public:
        sentence = Message(
            "ALIPAY_PUBLIC_KEY is the app's own public key; it must be Alipay's, which the console shows"
        )
        yield Problem("ALIPAY_PUBLIC_KEY", sentence)


def _checked(der: bytes, is_private: bool) -> Any:
    """Return the key, or a ``Message`` of what is wrong with it."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

    private, public = _loaded(der)
    key, other = (private, public) if is_private else (public, private)
    if other:
        return Message("it is a public key") if is_private else Message("it is a private key")
    if not key:
        return Message("it does not load (take PEM, or the base64 that the console shows)")
    if not isinstance(key, RSAPrivateKey | RSAPublicKey):
        return Message("it is a key of another kind ({kind})", kind=type(key).__name__.lstrip("_"))
    if key.key_size < MIN_RSA_BITS:
        return Message(
            "it has {bits} bits; at least {least} are needed", bits=key.key_size, least=MIN_RSA_BITS
        )
    return key


def _loaded(der: bytes) -> tuple[Any, Any]:
    """Return a private key or a public one, each ``None`` where the bytes are something else."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

    private = public = None
    # TypeError: it is encrypted. The validation is left out because it takes a cold start 60 ms.
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        private = load_der_private_key(der, None, unsafe_skip_rsa_key_validation=True)
    with suppress(ValueError, UnsupportedAlgorithm):
        public = load_der_public_key(der)
    return private, public


def _read(values: Mapping[str, Any]) -> AlipayApp:
    names = ("APP_ID", "KEY", "PUBLIC_KEY", "IDENTITY", "ENDPOINT")
    return AlipayApp(*(values[f"ALIPAY_{name}"] for name in names))


KIND = CallerKind(
    session.identify,
    prepare,
    log_in,
    settings=(
        Setting(
            "ALIPAY_APP_ID",
            types.matching("[0-9]{1,32}", Message("the mini-program's APPID, digits (2021…)")),
            is_needed=True,
        ),
        Setting(
            "ALIPAY_KEY",
            types.Type(Message("the app's private key (RSA2)"), _der),
            is_needed=True,
            is_secret=True,
        ),
        Setting(
            "ALIPAY_PUBLIC_KEY",
            types.Type(Message("Alipay's public key (RSA2)"), _der),
            is_needed=True,
            key="alipay_public_key",
        ),
        Setting("ALIPAY_IDENTITY", types.one_of("open_id", "user_id"), "open_id"),
        Setting("ALIPAY_ENDPOINT", types.ORIGIN, "https://openapi.alipay.com"),
    ),
    read=_read,
    problems=_problems,
    app_setting="ALIPAY_APP_ID",
)
