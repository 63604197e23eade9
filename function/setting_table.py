"""Every setting, one row each: what it may be, what it is without, who needs it."""

from typing import NamedTuple

from function import kinds
from function.jwt_key import ALGORITHMS, ANY_AUDIENCE
from function.kinds import Kind
from function.phrase import Phrase
from function.profile_options import SIGNATURE_VERSIONS


class CallerKind(NamedTuple):
    """
    One way to know who asks.

    Args:
        module: of ``function.callers``; imported when the first caller comes.

        needs_tokens: whether ``TOKEN_SECRET`` must be there for it.

        tells_apart: whether each caller has an owner of their own; else they are counted by address.
    """

    module: str
    needs_tokens: bool = True
    tells_apart: bool = True


CALLER_KINDS = {
    "wechat": CallerKind("function.callers.wechat"),
    "jwt": CallerKind("function.callers.business_jwt"),
    "anonymous": CallerKind("function.callers.anonymous", needs_tokens=False, tells_apart=False),
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
    Setting("OSS_BUCKET", kinds.BUCKET, is_needed=True),
    Setting("OSS_REGION", kinds.REGION, "{FC_REGION}", is_needed=True),
    Setting("OSS_HOST", kinds.ORIGIN, "https://{OSS_BUCKET}.oss-{OSS_REGION}.aliyuncs.com"),
    Setting("OSS_ENDPOINT", kinds.ORIGIN, "{OSS_HOST}"),
    Setting("READ_ORIGIN", kinds.ORIGIN, "{OSS_HOST}"),
    Setting("SIGN_PART_LENGTH", kinds.FLAG, "true"),
    Setting("OSS_SIGNATURE_VERSION", kinds.one_of(*SIGNATURE_VERSIONS), "v4"),
    Setting("STS_ROLE_ARN", kinds.ROLE_ARN, is_needed=True),
    Setting("STS_ENDPOINT", kinds.ORIGIN, "https://sts.{OSS_REGION}.aliyuncs.com"),
    Setting("STS_SESSION_SECONDS", kinds.seconds(900, 43200), "3600"),
    Setting("CALLER_AUTH", kinds.one_of(*CALLER_KINDS), is_needed=True),
    Setting(
        "WECHAT_APPID",
        kinds.matching("[A-Za-z0-9_-]{1,64}", Phrase("the mini-program's AppID (wx…)")),
        is_needed=True,
        caller="wechat",
    ),
    Setting(
        "WECHAT_SECRET",
        kinds.any_text(Phrase("the mini-program's AppSecret")),
        is_needed=True,
        is_secret=True,
        caller="wechat",
    ),
    Setting("WECHAT_ENDPOINT", kinds.ORIGIN, "https://api.weixin.qq.com", caller="wechat"),
    Setting("WECHAT_PUSH_TOKEN", kinds.PUSH_TOKEN, is_secret=True, caller="wechat"),
    Setting("WECHAT_PUSH_AES_KEY", kinds.PUSH_AES_KEY, is_secret=True, caller="wechat"),
    Setting("WECHAT_PUSH_FORWARD_URL", kinds.ADDRESS, is_secret=True, caller="wechat"),
    Setting(
        "JWT_KEY",
        # Many consoles keep one line only, so a PEM arrives with \\n written out.
        Kind(Phrase("the HS256 secret or the public key in PEM"), lambda text: text.replace("\\n", "\n")),
        is_needed=True,
        is_secret=True,
        caller="jwt",
    ),
    Setting("JWT_ALGORITHM", kinds.one_of(*ALGORITHMS), is_needed=True, caller="jwt"),
    Setting("JWT_ISSUER", kinds.any_text(Phrase("the iss of the business's tokens")), caller="jwt"),
    Setting(
        "JWT_AUDIENCE",
        kinds.any_text(Phrase("the aud of the business's tokens, or {any_}", any_=ANY_AUDIENCE)),
        caller="jwt",
    ),
    Setting("TOKEN_SECRET", kinds.SECRETS, is_secret=True),
    Setting("RECEIPT_SECRET", kinds.SECRETS, is_secret=True),
    Setting(
        "OWNER_SECRET",
        kinds.any_text(Phrase("at least {least} bytes", least=kinds.MIN_SECRET_BYTES)),
        is_secret=True,
    ),
    Setting("TOKEN_SECONDS", kinds.seconds(60, 2592000), "7200"),
    Setting("CALLBACK_URL", kinds.CALLBACK_ADDRESS),
    Setting("CALLBACK_KEY_ORIGIN", kinds.ORIGIN, "https://gosspublic.alicdn.com"),
    # Addresses of the business often carry a token.
    Setting("UPLOAD_WEBHOOK_URL", kinds.ADDRESS, is_secret=True),
    Setting("CALLER_RATE", kinds.RATE, "60/min"),
    Setting("LOGIN_RATE", kinds.RATE, "30/min"),
    Setting("READ_RATE", kinds.RATE, "600/min"),
    # It holds the password of the store.
    Setting("QUOTA_URL", kinds.QUOTA_ADDRESS, is_secret=True),
    Setting("QUOTA_WHEN_DOWN", kinds.one_of("deny", "allow")),
    Setting("QUOTA_UTC_OFFSET", kinds.HOURS, "8"),
    Setting("CLIENT_ADDRESS_HEADER", kinds.HEADER_NAME),
    Setting("PROFILES_FILE", kinds.any_text(Phrase("the path of a TOML file")), "profiles.toml"),
    Setting("ALLOWED_ORIGINS", kinds.ORIGINS),
    Setting("LOG_LEVEL", kinds.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"),
)
