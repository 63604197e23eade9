"""The checks of ``doctor`` beside forms: confirming, reading, and large files."""

from contextlib import suppress
from datetime import datetime

from function.auth.signed_tokens import RECEIPT, read_token
from function.config.profile import Profile
from function.config.settings import Settings
from function.errors import Unauthorized
from ops.doctor.exchange import NOT_OURS, Refused, ask, finding_of, send
from ops.doctor.findings import OTHER_PROFILES, Finding
from ops.terminal.language import Text


def check_confirmation(settings: Settings, profile: Profile, url: str, ticket: str, now: datetime) -> Finding:
    """Have the deployed function ask OSS about what was uploaded."""

    def tries() -> Text:
        told = ask(url, "confirm", {"ticket": ticket}, remedies=_REMEDIES)
        try:
            claims = read_token(
                str(told.get("receipt")), audience=RECEIPT, secrets=settings.receipt_secrets, now=now
            )
        except Unauthorized:
            said = Text("the receipt is signed with another secret", "回执用了别的密钥签名")
            raise Refused(said, _DEPLOY_SECRETS) from None
        if claims.get("seen") is not True:
            said = Text("the receipt does not say that OSS was asked", "回执没有说问过 OSS")
            raise Refused(said, Text("Deploy again: make deploy.", "请重新部署：make deploy。"))
        return Text("OSS was asked, receipt good", "已问过 OSS，回执有效")

    return finding_of(Text(f"Confirm [{profile.name}]", f"确认 [{profile.name}]"), tries)


def check_reading(url: str, token: str, profile: Profile, key: str) -> Finding:
    """Have the deployed function give the address of what this caller has uploaded, and open it."""

    def tries() -> Text:
        told = ask(url, "read", {"key": key}, token, {404: OTHER_PROFILES})
        if not isinstance(told.get("url"), str):
            raise Refused(NOT_OURS, OTHER_PROFILES)
        origin = send("GET", told["url"], ("READ_ORIGIN", "OSS_HOST"), {403: _MAY_NOT_READ})
        return Text(f"a signed URL opens it at {origin}", f"预签名 URL 在 {origin} 打开了它")

    return finding_of(Text(f"Read [{profile.name}]", f"读取 [{profile.name}]"), tries)


def check_parts(url: str, token: str, profile: Profile) -> Finding:
    """
    Begin an upload, send its one part, have it listed, and give it up: nothing is left behind.

    So OSS says whether the role may all that; the right to complete is the one that forms need, too.
    """
    kind = profile.content_types[0].replace("/*", "/mp4").replace("*/", "video/")
    wanted = {"profile": profile.name, "contentType": kind, "size": max(1, profile.min_size_bytes)}

    def tries() -> Text:
        begun = ask(url, "multipart", wanted, token, _OF_PARTS)
        if not {"ticket", "parts", "headers"} <= set(begun):
            raise Refused(NOT_OURS, OTHER_PROFILES)
        ticket, part = {"ticket": begun["ticket"]}, begun["parts"][0]
        try:
            send("PUT", part["url"], ("OSS_HOST",), data=b"x" * part["size"], headers=begun["headers"])
            listed = ask(url, "multipart-parts", ticket, remedies=_OF_PARTS)
        except Refused:
            with suppress(Refused):
                ask(url, "multipart-abort", ticket)
            raise
        ask(url, "multipart-abort", ticket, remedies=_OF_PARTS)
        if listed.get("missing") != 0:
            raise Refused(Text("OSS does not list the part", "OSS 没有列出这一片"), _ENDPOINT)
        return Text("a part was sent, listed and given up", "发送、列出并放弃了一片")

    return finding_of(Text(f"Large files [{profile.name}]", f"大文件 [{profile.name}]"), tries)


_MAY_NOT_READ = Text(
    "The role does not allow oss:GetObject there yet: run manage.py setup again.",
    "角色还不允许在那里 oss:GetObject：请再运行一次 manage.py setup。",
)
_DEPLOY_SECRETS = Text(
    "TOKEN_SECRET, RECEIPT_SECRET or WECHAT_APPID here and in the deployed function differ: make deploy.",
    "本机与已部署函数的 TOKEN_SECRET、RECEIPT_SECRET 或 WECHAT_APPID 不同：请 make deploy。",
)
_ENDPOINT = Text(
    "OSS_ENDPOINT must lead to the same bucket as OSS_HOST.", "OSS_ENDPOINT 与 OSS_HOST 应指向同一个桶。"
)
_NO_PARTS_YET = Text(
    "The role does not allow uploads in parts there yet: run manage.py setup again.",
    "角色还不允许在那里分片上传：请再运行一次 manage.py setup。",
)
_REMEDIES = {403: _DEPLOY_SECRETS, 404: OTHER_PROFILES, 502: _MAY_NOT_READ}
_OF_PARTS = {400: OTHER_PROFILES, 404: OTHER_PROFILES, 502: _NO_PARTS_YET}
