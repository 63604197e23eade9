"""
Copy files from their addresses into OSS, under the keys that their users would have got.

The list has a line for each file: its address, and after a blank the user (openid, or sub with
CALLER_AUTH=jwt). Each file is streamed through this machine, never stored on it. What is done is written to
LIST.done, one JSON line with url, user, key and size for your database; run the same command again to go on.
A redirect is followed on the same host only, and nothing is read from a private or link-local address: the
addresses may be your users'. --allow-private permits those, for a store in your own network.
AccessKeyID and AccessKeySecret of the environment must be able to write into the bucket.
"""

import argparse
import io
import json
import os
import re
import sys
from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import requests

from function.auth import owner_of
from function.auth.signed_tokens import keyed_hash
from function.config.content_types import bare_type
from function.config.key_template import PUBLIC_OWNER
from function.config.profile import Profile
from function.config.settings import Settings
from function.errors import UploadError
from function.oss.post_form import TYPE_FIELD, UploadRule
from function.uploads.plan import rule_for
from function.uploads.request import UploadRequest
from ops.account.oss_client import client_at, code_of, operator_keys
from ops.client.form_upload import open_session
from ops.client.import_source import NotCopied, open_source
from ops.deploy.callers import CALLER, caller_called
from ops.deploy.operator_env import add_env_argument, operator_environment, operator_settings
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language, why_unreadable
from ops.terminal.screen import Screen

if TYPE_CHECKING:
    from alibabacloud_oss_v2 import Client

# Query fields of signed addresses: wx.cloud, OSS, COS, and stores that speak S3.
SIGNATURE = re.compile(
    "sign|t|expires|signature|(oss|aws)accesskeyid|security-token|q-[a-z-]+|x-(oss-(?!process)|cos-|amz-).*"
)
# Of a length; no store has files near it.
MAX_DIGITS = 15
UNKNOWN_TYPE = "application/octet-stream"
SUMMARY = Text("copy files from a list of addresses into OSS", "按地址清单把文件迁移到 OSS")
ABOUT = Text(
    __doc__,
    "按地址清单把文件迁移到 OSS，key 与用户自己上传时得到的一样。\n\n"
    "清单里一行一个文件：地址，空格，再写用户（openid；CALLER_AUTH=jwt 时是 sub）。文件经本机转发，不落盘。"
    "完成的逐行写进“清单名.done”：url、user、key、size，供你更新数据库；再运行同样的命令就接着做。"
    "重定向只跟随到同一主机，也不读内网和链路本地地址，因为清单里的地址可能出自用户；"
    "文件就在自己的内网时，加 --allow-private。"
    "环境变量 AccessKeyID 与 AccessKeySecret 要能写这个桶。",
)
LIST = Text("the file with the addresses", "写着地址的文件")
PROFILE = Text("whose rules and folder count", "用哪个用途的规则和目录")
DRY_RUN = Text(
    "print the key of each address; copy and record nothing", "只打印每个地址的 key，不复制，不记录"
)
ALLOW_PRIVATE = Text("read from private addresses as well", "也从内网地址读取")
NO_PROFILE = Text(
    "There is no profile {name} whose names the function chooses by itself; name one with --profile.",
    "没有由函数命名的用途 {name}；请用 --profile 指定一个。",
)
UNREADABLE = Text("{path}: {why}.", "{path}：{why}。")
BAD_LINE = Text("Line {number} needs an http address and a user.", "第 {number} 行要有 http 地址和用户。")
DONE = Text("{0} copied, {1} were there, {2} failed.", "迁移 {0} 个，之前已有 {1} 个，失败 {2} 个。")


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    parser.add_argument("list", type=Path, help=LIST.say(language))
    parser.add_argument("--profile", default="default", help=PROFILE.say(language))
    parser.add_argument("--caller", default="", metavar="NAME", help=CALLER.say(language))
    parser.add_argument("--dry-run", action="store_true", help=DRY_RUN.say(language))
    parser.add_argument("--allow-private", action="store_true", help=ALLOW_PRIVATE.say(language))
    add_env_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language = chosen_language(args.lang)
    screen, complaints = Screen(), Screen(sys.stderr)
    record = args.list.with_name(args.list.name + ".done")
    environ = operator_environment(args.env_file, os.environ)
    settings = operator_settings(environ)
    profile = settings.profiles.get(args.profile)
    if profile is None or profile.takes_filename or profile.key.takes_digest:
        raise Failure(NO_PROFILE.filled(name=args.profile))
    # What is moved was published before, so it is not held back once more.
    profile = profile._replace(hold=())
    _, owner_id = caller_called(args.caller, environ)
    client = None if args.dry_run else client_at(profile.location, operator_keys(environ))
    sources = _read_list(args.list, needs_user="{owner}" in profile.key.text)
    before = _recorded(record)
    left = [(url, user) for url, user in sources if (_name(url), user) not in before]
    failed = 0
    for url, user in left:
        try:
            owner = owner_of(user, settings.owner_secret, owner_id) if user else PUBLIC_OWNER
            done = copy(url, user, owner, profile, settings, client, allows_private=args.allow_private)
            stored = json.dumps(done, ensure_ascii=False)
        except NotCopied as error:
            failed += 1
            complaints.fail(f"{_name(url)}: {error}")
            continue
        screen.line(stored)
        if client is not None:
            with record.open("a", encoding="utf-8") as file:
                file.write(stored + "\n")
    screen.line(DONE.say(language).format(len(left) - failed, len(sources) - len(left), failed))
    return 1 if failed else 0


def _name(url: str) -> str:
    """Return an address without its signature, which changes each time; ``?id=7`` names a file."""
    address, _, query = url.partition("#")[0].partition("?")
    fields = [field for field in query.split("&") if field]
    names = [field.partition("=")[0].lower() for field in fields]
    if any(name == "sign" or name.endswith("signature") for name in names):
        named = zip(names, fields, strict=True)
        fields = [field for name, field in named if not SIGNATURE.fullmatch(name)]
    return "?".join([address, "&".join(fields)] if fields else [address])


def _read_list(path: Path, *, needs_user: bool) -> list[tuple[str, str]]:
    """Return the address and the user of each line; raise ``Failure`` for one that is none."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise Failure(UNREADABLE.filled(path=path, why=why_unreadable(error))) from None
    found = []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        url, user = (*words, "")[:2]
        if urlsplit(url).scheme not in ("http", "https") or len(words) > 2 or (needs_user and not user):
            raise Failure(BAD_LINE.filled(number=number))
        found.append((url, user))
    return found


def _recorded(record: Path) -> set[tuple[str, str]]:
    found = set()
    for line in record.read_text("utf-8").splitlines() if record.exists() else ():
        try:
            done = json.loads(line)
        except ValueError:  # cut off while it was written
            continue
        found.add((done["url"], done["user"]))
    return found


def copy(
    url: str,
    user: str,
    owner: str,
    profile: Profile,
    settings: Settings,
    client: "Client | None",
    *,
    allows_private: bool = False,
) -> dict[str, Any]:
    """Stream one file into OSS, once if repeated; without a client only look at it. Raise ``NotCopied``."""
    try:
        with open_session(url) as session, open_source(session, url, allows_private=allows_private) as found:
            found.raise_for_status()
            rule = _rule(url, user, owner, found, profile, settings)
            if client:
                _put(client, rule, found)
    except requests.RequestException as error:
        status = getattr(error.response, "status_code", None)
        raise NotCopied(f"HTTP {status}" if status else type(error).__name__) from None
    except UploadError as error:
        raise NotCopied(error.code) from None
    # A name that is not resolved, or a malformed address of a redirect.
    except (OSError, ValueError) as error:
        raise NotCopied(type(error).__name__) from None
    return {"url": _name(url), "user": user, "key": rule.key, "size": rule.max_size_bytes}


def _rule(
    url: str, user: str, owner: str, found: requests.Response, profile: Profile, settings: Settings
) -> UploadRule:
    """Return what a form for this file would pin, its exact size too; the key is the same each time."""
    length = found.headers.get("Content-Length", "")
    if not length.isdecimal() or len(length) > MAX_DIGITS:
        raise NotCopied("no Content-Length")
    kind = bare_type(found.headers.get("Content-Type", ""))
    file = UploadRequest(
        filename=unquote(urlsplit(url).path.rpartition("/")[2]),
        content_type=None if kind in ("", UNKNOWN_TYPE) else kind,
        size_bytes=int(length),
    )
    digest = keyed_hash(settings.owner_secret, f"import\n{_name(url)}\n{user}".encode())
    upload_id = urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
    return rule_for(file, profile, owner=owner, upload_id=upload_id, now=_dated(found))


def _dated(found: requests.Response) -> datetime:
    """Return the day for the key: when the file was stored there, so that a second run names it alike."""
    try:
        return parsedate_to_datetime(found.headers["Last-Modified"]).astimezone(UTC)
    # A year may have any number of digits.
    except (KeyError, ValueError, OverflowError):
        return datetime.now(UTC)


def _put(client: "Client", rule: UploadRule, found: requests.Response) -> None:
    import alibabacloud_oss_v2 as oss

    headers = oss.CaseInsensitiveDict({**rule.form.fields, "Content-Type": rule.content_type})
    del headers["success_action_status"], headers[TYPE_FIELD]
    body = _Body(found.raw, rule.max_size_bytes)
    try:
        client.put_object(oss.PutObjectRequest(rule.bucket, rule.key, body=body, headers=headers))
    except oss.exceptions.OperationError as error:
        code = code_of(error)
        if code != "FileAlreadyExists":
            raise NotCopied(code) from None


class _Body(io.RawIOBase):
    """Bytes of a response, read as they are sent on; with a length, so that OSS gets one."""

    def __init__(self, raw: Any, size: int) -> None:
        self._raw, self._size = raw, size

    def __len__(self) -> int:
        return self._size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return bytes(self._raw.read(size if size > 0 else None))
