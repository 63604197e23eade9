"""
``.env`` and ``profiles.toml`` of a new project: what the chosen features need, with comments in one language.
"""

import secrets
import string
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple

from ops.deploy.features import FEATURES
from ops.terminal.language import Text

THUMB = {"thumb": "image/resize,m_fill,w_200,h_200/format,jpg"}
LARGE = {"large": "image/resize,m_lfit,w_1600,h_1600/format,jpg"}
ANONYMOUS, WECHAT = "anonymous", "wechat"
CALLER_KINDS = (WECHAT, "jwt", ANONYMOUS)


class Table(NamedTuple):
    """What a feature's profile has besides the options of the feature."""

    title: Text
    key: str
    max_size: str
    content_types: str
    variants: dict[str, str]
    more: tuple[str, ...] = ()


TABLES = {
    "avatar": Table(
        Text("Avatar", "头像"),
        "avatars/{owner}/{id}{ext}",
        "2MiB",
        '["image/jpeg", "image/png", "image/webp"]',
        {"thumb": "image/resize,m_fill,w_96,h_96/format,jpg"},
        ('cache_control = "public, max-age=31536000, immutable"',),
    ),
    "pictures": Table(
        Text("Pictures", "图片"),
        "uploads/{owner}/{yyyy}/{mm}/{dd}/{id}{ext}",
        "10MiB",
        '["image/*", "video/mp4", "application/pdf"]',
        THUMB | LARGE,
    ),
    "check": Table(
        Text("Posts", "晒单"),
        "posts/{owner}/{yyyy}/{mm}/{id}{ext}",
        "10MiB",
        '["image/*"]',
        THUMB | LARGE,
        ("check_scene = 3",),
    ),
    "video": Table(
        Text("Videos", "视频"),
        "videos/{owner}/{yyyy}/{mm}/{id}{ext}",
        "200MiB",
        '["video/mp4", "video/quicktime"]',
        {"cover": "video/snapshot,t_1000,f_jpg,w_400,m_fast"},
        ('read = "owner"', "expires_in = 600"),
    ),
}
NOTES = {
    "confirm": Text("a receipt of what OSS itself says", "回执，以 OSS 自己的说法为准"),
    "read": Text(
        '"owner": one\'s own files; "callers": everybody\'s', '"owner"：只看自己的；"callers"：谁都能看'
    ),
    "hold": Text("held until then; run manage.py setup again", "做完才发布；改过要再运行 manage.py setup"),
    "parts": Text("a large one goes in parts, and goes on after a broken line", "大文件分片，断线后接着传"),
    "files_per_day": Text("of each owner; needs QUOTA_URL", "每个用户每天几个；需要 QUOTA_URL"),
    "check_scene": Text("WeChat's scene: 3 is a forum", "微信的 scene：3 是论坛"),
    "expires_in": Text("seconds for one form", "一张表单的有效秒数"),
}
HEAD = Text(
    "What may be uploaded: one table per purpose. Every option: docs/profiles.md.",
    "能传什么：一种用途一张表。每个选项的说明：docs/profiles.zh-CN.md。",
)
ENV_HEAD = Text(
    "Settings of the deployment; no other file has secrets. Every name: docs/configuration.md.",
    "部署用的设置，密钥只写在这里。每个名字的说明：docs/configuration.zh-CN.md。",
)
ROLE = Text(
    "printed by: python3 manage.py setup --bucket-create",
    "由这条命令打印：python3 manage.py setup --bucket-create",
)
SECRET = Text("made just now; sign tokens, receipts", "刚刚生成：签令牌、签回执")
KEPT_OUT = Text("AppSecret, from the mini-program's console", "小程序后台的 AppSecret")
PUSH = Text(
    "the same two in the console's message push (secure mode, JSON)",
    "消息推送里填这两个（安全模式，JSON）",
)
JWT = Text(
    "how your own login tokens are checked: docs/callers.md",
    "怎样验证你自己的登录令牌：docs/callers.zh-CN.md",
)
QUOTA = Text(
    "your Redis, redis://user:password@host:6379: docs/quotas.md",
    "你的 Redis，redis://user:password@host:6379：docs/quotas.zh-CN.md",
)


class Answers(NamedTuple):
    """What ``init`` asks; ``features`` are names of ``FEATURES``."""

    bucket: str
    region: str
    caller_auth: str
    app_id: str
    app_secret: str
    features: Collection[str]


def profiles_text(answers: Answers, language: str) -> str:
    lines = [f"# {HEAD.say(language)}"]
    # A request that names no profile means [default].
    chosen = [name for name in TABLES if name in answers.features] or ["pictures"]
    for name in chosen:
        lines += ["", *_table(name, answers, language)]
    return "\n".join(lines) + "\n"


def _table(name: str, answers: Answers, language: str) -> Iterator[str]:
    table, feature = TABLES[name], FEATURES[name]
    yield f"[{feature.profile}]"
    yield f'title = "{table.title.say(language)}"'
    yield f'key = "{table.key}"'
    yield f'max_size = "{table.max_size}"'
    yield f"content_types = {table.content_types}"
    options = [*(f"{option} = {value}" for option, value in feature.options.items()), *table.more]
    if "quota" in answers.features:
        options += [f"{option} = {value}" for option, value in FEATURES["quota"].options.items()]
    for option in options:
        if option.startswith("check_scene") and answers.caller_auth != WECHAT:
            continue
        written = _for_callers(option, answers.caller_auth)
        note = NOTES.get(option.partition(" ")[0])
        yield f"{written:<31} # {note.say(language)}" if note else written
    yield f"[{feature.profile}.variants]"
    yield from (f'{variant} = "{process}"' for variant, process in table.variants.items())


def _for_callers(option: str, caller_auth: str) -> str:
    """WeChat checks what its own users send; where nobody says who they are, nothing is anybody's own."""
    if caller_auth != WECHAT:
        option = option.replace(', "check"', "")
    return option.replace('"owner"', '"callers"') if caller_auth == ANONYMOUS else option


def env_text(answers: Answers, language: str, new: Callable[[int], str] = secrets.token_urlsafe) -> str:
    """
    Args:
        new: a secret of so many random bytes.
    """
    rows: list[tuple[str, str, Text | None]] = [
        ("OSS_BUCKET", answers.bucket, None),
        ("OSS_REGION", answers.region, None),
        ("STS_ROLE_ARN", "", ROLE),
        ("CALLER_AUTH", answers.caller_auth, None),
        ("TOKEN_SECRET", new(32), SECRET),
        ("RECEIPT_SECRET", new(32), None),
    ]
    if answers.caller_auth == WECHAT:
        rows += [("WECHAT_APPID", answers.app_id, None), ("WECHAT_SECRET", answers.app_secret, KEPT_OUT)]
        if "check" in answers.features:
            rows += [("WECHAT_PUSH_TOKEN", letters(32), PUSH), ("WECHAT_PUSH_AES_KEY", letters(43), None)]
            rows.append(("STS_SESSION_SECONDS", "5400", None))
    elif answers.caller_auth == "jwt":
        rows += [("JWT_KEY", "", JWT), ("JWT_ALGORITHM", "HS256", None)]
    if "quota" in answers.features:
        rows += [("QUOTA_URL", "", QUOTA), ("QUOTA_WHEN_DOWN", "deny", None)]
    lines = [f"# {ENV_HEAD.say(language)}"]
    for name, value, note in rows:
        lines += [f"# {note.say(language)}"] if note else []
        lines.append(f"{name}={value}")
    return "\n".join(lines) + "\n"


def letters(count: int) -> str:
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(count))
