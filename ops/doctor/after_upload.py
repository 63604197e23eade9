"""The checks of ``doctor`` beside forms: confirming, reading, and large files."""

from contextlib import suppress
from datetime import datetime

from function.config.profile import Profile
from function.config.settings import Settings
from ops.doctor.exchange import NOT_OURS, OTHER_SECRETS, Refused, ask, claims_of, finding_of, send
from ops.doctor.findings import OTHER_PROFILES, Finding, set_up_again
from ops.terminal.language import Text


def check_confirmation(settings: Settings, profile: Profile, url: str, ticket: str, now: datetime) -> Finding:
    """Have the deployed function ask OSS about what was uploaded."""

    def tries() -> Text:
        told = ask(url, "confirm", {"ticket": ticket}, remedies=_REMEDIES)
        if claims_of(told.get("receipt"), settings, now).get("seen") is not True:
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


_MAY_NOT_READ = set_up_again("oss:GetObject there", "在那里 oss:GetObject")
_ENDPOINT = Text(
    "OSS_ENDPOINT must lead to the same bucket as OSS_HOST.", "OSS_ENDPOINT 与 OSS_HOST 应指向同一个桶。"
)
_NO_PARTS_YET = set_up_again("uploads in parts there", "在那里分片上传")
_REMEDIES = {403: OTHER_SECRETS, 404: OTHER_PROFILES, 502: _MAY_NOT_READ}
_OF_PARTS = {400: OTHER_PROFILES, 404: OTHER_PROFILES, 502: _NO_PARTS_YET}
