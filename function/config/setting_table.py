"""Every setting, one row each: what it may be, what it is without, who needs it."""

from typing import NamedTuple

from function.config import types
from function.config.jwt_key import ALGORITHMS, ANY_AUDIENCE
from function.config.messages import Message
from function.config.profile_options import SIGNATURE_VERSIONS
from function.config.types import Kind


class CallerKind(NamedTuple):
    """
    One way to know who asks.

    Args:
        module: of ``function.auth``; imported when the first caller comes.

        needs_tokens: whether ``TOKEN_SECRET`` must be there for it.

        tells_apart: whether each caller has an owner of their own; else they are counted by address.
    """

    module: str
    needs_tokens: bool = True
    tells_apart: bool = True


CALLER_KINDS = {
    "wechat": CallerKind("function.auth.wechat"),
    "jwt": CallerKind("function.auth.jwt"),
    "anonymous": CallerKind("function.auth.anonymous", needs_tokens=False, tells_apart=False),
}


class Setting(NamedTuple):
    """
    One variable of the environment.

    Args:
        default: its text when it is not set; ``{NAME}`` stands for another variable.

        is_secret: its value is shown nowhere.

        caller: it is read with this ``CALLER_AUTH`` only, and is needed then if it ``is_needed``.
    """

    name: str
    kind: Kind
    default: str = ""
    is_needed: bool = False
    is_secret: bool = False
    caller: str = ""


SETTINGS = (
    Setting("OSS_BUCKET", types.BUCKET, is_needed=True),
    Setting("OSS_REGION", types.REGION, "{FC_REGION}", is_needed=True),
    Setting("OSS_HOST", types.ORIGIN, "https://{OSS_BUCKET}.oss-{OSS_REGION}.aliyuncs.com"),
    Setting("OSS_ENDPOINT", types.ORIGIN, "{OSS_HOST}"),
    Setting("READ_ORIGIN", types.ORIGIN, "{OSS_HOST}"),
    Setting("SIGN_PART_LENGTH", types.FLAG, "true"),
    Setting("OSS_SIGNATURE_VERSION", types.one_of(*SIGNATURE_VERSIONS), "v4"),
    Setting("STS_ROLE_ARN", types.ROLE_ARN, is_needed=True),
    Setting("STS_ENDPOINT", types.ORIGIN, "https://sts.{OSS_REGION}.aliyuncs.com"),
    Setting("STS_SESSION_SECONDS", types.seconds(900, 43200), "3600"),
    Setting("CALLER_AUTH", types.one_of(*CALLER_KINDS), is_needed=True),
    Setting(
        "WECHAT_APPID",
        types.matching("[A-Za-z0-9_-]{1,64}", Message("the mini-program's AppID (wx…)")),
        is_needed=True,
        caller="wechat",
    ),
    Setting(
        "WECHAT_SECRET",
        types.any_text(Message("the mini-program's AppSecret")),
        is_needed=True,
        is_secret=True,
        caller="wechat",
    ),
    Setting("WECHAT_ENDPOINT", types.ORIGIN, "https://api.weixin.qq.com", caller="wechat"),
    Setting("WECHAT_PUSH_TOKEN", types.PUSH_TOKEN, is_secret=True, caller="wechat"),
    Setting("WECHAT_PUSH_AES_KEY", types.PUSH_AES_KEY, is_secret=True, caller="wechat"),
    Setting("WECHAT_PUSH_FORWARD_URL", types.ADDRESS, is_secret=True, caller="wechat"),
    Setting(
        "JWT_KEY",
        # Many consoles keep one line only, so a PEM arrives with \\n written out.
        Kind(Message("the HS256 secret or the public key in PEM"), lambda text: text.replace("\\n", "\n")),
        is_needed=True,
        is_secret=True,
        caller="jwt",
    ),
    Setting("JWT_ALGORITHM", types.one_of(*ALGORITHMS), is_needed=True, caller="jwt"),
    Setting("JWT_ISSUER", types.any_text(Message("the iss of the business's tokens")), caller="jwt"),
    Setting(
        "JWT_AUDIENCE",
        types.any_text(Message("the aud of the business's tokens, or {any_}", any_=ANY_AUDIENCE)),
        caller="jwt",
    ),
    Setting("TOKEN_SECRET", types.SECRETS, is_secret=True),
    Setting("RECEIPT_SECRET", types.SECRETS, is_secret=True),
    Setting(
        "OWNER_SECRET",
        types.any_text(Message("at least {least} bytes", least=types.MIN_SECRET_BYTES)),
        is_secret=True,
    ),
    Setting("TOKEN_SECONDS", types.seconds(60, 2592000), "7200"),
    Setting("CALLBACK_URL", types.CALLBACK_ADDRESS),
    Setting("CALLBACK_KEY_ORIGIN", types.ORIGIN, "https://gosspublic.alicdn.com"),
    # Addresses of the business often carry a token.
    Setting("UPLOAD_WEBHOOK_URL", types.ADDRESS, is_secret=True),
    Setting("CALLER_RATE", types.RATE, "60/min"),
    Setting("LOGIN_RATE", types.RATE, "30/min"),
    Setting("READ_RATE", types.RATE, "600/min"),
    # It holds the password of the store.
    Setting("QUOTA_URL", types.QUOTA_ADDRESS, is_secret=True),
    Setting("QUOTA_WHEN_DOWN", types.one_of("deny", "allow")),
    Setting("QUOTA_UTC_OFFSET", types.HOURS, "8"),
    Setting("CLIENT_ADDRESS_HEADER", types.HEADER_NAME),
    Setting("PROFILES_FILE", types.any_text(Message("the path of a TOML file")), "profiles.toml"),
    Setting("ALLOWED_ORIGINS", types.ORIGINS),
    Setting("LOG_LEVEL", types.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
)
