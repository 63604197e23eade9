"""
The checks of ``doctor`` that upload: a smallest file through a form of each profile, two that must fail, and
what comes after: confirming, reading, and large files.
"""

import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from function.config.content_types import EXTENSION_OF_TYPE
from function.config.profile import ACL_FIELD, Profile
from function.config.settings import Settings
from function.sts.credentials import AccessKeys
from ops.client.form_upload import Answer, post_form
from ops.doctor.exchange import NOT_OURS, OTHER_SECRETS, ask, claims_of, send
from ops.doctor.findings import (
    OTHER_PROFILES,
    Refused,
    State,
    check,
    pasted_in,
    refusal,
    set_up_again,
    unreachable,
)
from ops.doctor.proof.sandbox import Sandbox
from ops.explain.pasted import PastedForm
from ops.terminal.language import Failure, Text

MOST_BYTES = 1024 * 1024
TAKEN = (200, 203, 204)
# Fields of a form, and the answer to it.
Sent = tuple[dict[str, str], Answer]


@dataclass
class Uploads:
    """
    The uploads of one examination, by forms of the deployed function.

    Args:
        url, token: of the function, and of a login there; an empty token where anyone may ask.
        keys_left: objects that were stored and not removed yet.
        stored: the key of each profile's object, by its name.
        tickets: of the forms whose uploads can be confirmed, by key.
    """

    settings: Settings
    url: str
    token: str
    now: datetime
    keys_left: list[str] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)

    @check(Text("Upload", "上传"))
    def check_profile(self, profile: Profile) -> Text:
        """Upload the smallest file that the profile admits."""
        if profile.min_size_bytes > MOST_BYTES:
            said = Text("min_size is over 1 MiB; not tried", "min_size 超过 1 MiB，未尝试")
            raise Refused(said, None, State.SKIPPED)
        fields, answer = self._upload(profile)
        if answer.status not in TAKEN:
            raise Refused(*_refusal(answer))
        self.keys_left.append(fields["key"])
        self.stored[profile.name] = fields["key"]
        if answer.status == 203:
            raise Refused(*_refusal(answer))
        if answer.status == 200 and profile.callback:
            return self._called_back(answer)
        version = profile.signature_version.upper()
        return Text(f"stored, {version} accepted", f"已保存，{version} 签名有效")

    @check(Text("A changed key of", "改动 key"))
    def check_changed_key(self, profile: Profile) -> Text:
        """A form must be good for its own key only."""
        return self._must_be_refused(profile, "key", "{}-other", _ANYONE_WRITES)

    @check(Text("A public file of", "公开文件"))
    def check_public_page(self, profile: Profile) -> Text:
        """A page that chooses its file's name must not choose who reads it, though no condition says so."""
        return self._must_be_refused(profile, ACL_FIELD, "public-read", _BLOCK_PUBLIC)

    def _must_be_refused(self, profile: Profile, name: str, value: str, remedy: Text) -> Text:
        fields, answer = self._upload(profile, name, value)
        if answer.status == 403:
            return Text("is refused, as it must be", "被拒绝，符合预期")
        if answer.status not in TAKEN:
            raise Refused(*_refusal(answer))
        self.keys_left.append(fields["key"])
        raise Refused(Text(f"{fields['key']} was taken", f"{fields['key']} 被接受了"), remedy)

    @check(Text("Removal", "清理"))
    def remove(self, keys: AccessKeys | None) -> Text:
        """Remove what was uploaded, where these keys may; the roles of a deployment may not."""
        if not self.keys_left:
            raise Refused(Text("nothing was uploaded", "没有上传任何文件"), None, State.SKIPPED)
        count = len(self.keys_left)
        if keys is not None:
            sandbox = Sandbox(self.settings, keys)
            sandbox.keys_left = self.keys_left
            self.keys_left = sandbox.remove()
        if not self.keys_left:
            return Text(f"{count} test files removed", f"已删除 {count} 个测试文件")
        listed = ", ".join(self.keys_left)
        said = Text(f"no key here may delete; left: {listed}", f"这里没有密钥可以删除；保留：{listed}")
        remedy = Text("Delete them in the OSS console, or leave them.", "可在 OSS 控制台删除，或保留。")
        raise Refused(said, remedy, State.UNSURE)

    @check(Text("Confirm", "确认"))
    def check_confirmation(self, profile: Profile, ticket: str) -> Text:
        """Have the deployed function ask OSS about what was uploaded."""
        told = ask(self.url, "confirm", {"ticket": ticket}, remedies=_REMEDIES)
        if claims_of(told.get("receipt"), self.settings, self.now).get("seen") is not True:
            said = Text("the receipt does not say that OSS was asked", "回执没有说问过 OSS")
            raise Refused(said, Text("Deploy again: make deploy.", "请重新部署：make deploy。"))
        return Text("OSS was asked, receipt good", "已问过 OSS，回执有效")

    @check(Text("Read", "读取"))
    def check_reading(self, profile: Profile, key: str) -> Text:
        """Have the deployed function give the address of what this caller has uploaded, and open it."""
        told = ask(self.url, "read", {"key": key}, self.token, {404: OTHER_PROFILES})
        if not isinstance(told.get("url"), str):
            raise Refused(NOT_OURS, OTHER_PROFILES)
        origin = send("GET", told["url"], ("READ_ORIGIN", "OSS_HOST"), {403: _MAY_NOT_READ})
        return Text(f"a signed URL opens it at {origin}", f"预签名 URL 在 {origin} 打开了它")

    @check(Text("Large files", "大文件"))
    def check_parts(self, profile: Profile) -> Text:
        """
        Begin an upload, send its one part, have it listed, and give it up: nothing is left behind.

        So OSS says whether the role may all that; the right to complete is the one that forms need, too.
        """
        size = max(1, profile.min_size_bytes)
        wanted = {"profile": profile.name, "contentType": _some_type(profile), "size": size}
        begun = ask(self.url, "multipart", wanted, self.token, _OF_PARTS)
        if not {"ticket", "parts", "headers"} <= set(begun):
            raise Refused(NOT_OURS, OTHER_PROFILES)
        ticket, part = {"ticket": begun["ticket"]}, begun["parts"][0]
        try:
            send("PUT", part["url"], ("OSS_HOST",), data=b"x" * part["size"], headers=begun["headers"])
            listed = ask(self.url, "multipart-parts", ticket, remedies=_OF_PARTS)
        except Refused:
            with suppress(Refused):
                ask(self.url, "multipart-abort", ticket)
            raise
        ask(self.url, "multipart-abort", ticket, remedies=_OF_PARTS)
        if listed.get("missing") != 0:
            raise Refused(Text("OSS does not list the part", "OSS 没有列出这一片"), _ENDPOINT)
        return Text("a part was sent, listed and given up", "发送、列出并放弃了一片")

    def _upload(self, profile: Profile, name: str = "", value: str = "") -> Sent:
        """Upload as a page would, perhaps with another value of one field."""
        kind, size = _some_type(profile), max(profile.min_size_bytes, 1)
        wanted: dict[str, Any] = {"profile": profile.name, "contentType": kind, "size": size}
        wanted["filename"] = f"doctor.{EXTENSION_OF_TYPE.get(kind, 'bin')}"
        # Nobody compares it with the bytes; one of its own is there already for nobody.
        wanted["sha256"] = secrets.token_hex(32) if profile.key.takes_digest else None
        answer = ask(self.url, "upload-params", wanted, self.token)
        form = pasted_in(json.dumps(answer))
        if not isinstance(form, PastedForm):
            raise Refused(_NO_FORM, _CHECK_HOST)
        fields = dict(form.fields)
        if form.folder is not None:
            key = f"{form.folder}doctor-{secrets.token_hex(8)}.txt"
            fields = {"key": key, "success_action_status": "200", **fields}
        if isinstance(answer.get("ticket"), str):
            self.tickets[fields["key"]] = answer["ticket"]
        if name:
            fields[name] = value.format(fields.get(name))
        try:
            return fields, post_form(form.url, fields, ("doctor.txt", b"." * size))
        except Failure as error:
            raise Refused(error.said, _CHECK_HOST) from None

    def _called_back(self, answer: Answer) -> Text:
        if "receipt" not in answer.json:
            said = Text("stored, but the callback sent no receipt", "已保存，但回调没有返回回执")
            remedy = Text("CALLBACK_URL leads to something else.", "CALLBACK_URL 指向了别处。")
            raise Refused(said, remedy)
        claims_of(answer.json["receipt"], self.settings, self.now)
        return Text("stored, called back, receipt good", "已保存，已回调，回执有效")


def _refusal(answer: Answer) -> tuple[Text, Text]:
    return refusal(answer.status, answer.text, answer.headers.get("x-oss-ec", ""))


def _some_type(profile: Profile) -> str:
    """A content type that the profile admits."""
    first = profile.content_types[0]
    main, _, sub = first.partition("/")
    if sub != "*":
        return first
    return next(
        (kind for kind in EXTENSION_OF_TYPE if main in ("*", kind.partition("/")[0])), f"{main}/x-doctor"
    )


_NO_FORM = Text("the answer holds no form", "响应中没有表单")
_ANYONE_WRITES = Text(
    "The bucket lets anyone write, or is no real OSS: set its ACL to private.",
    "该桶允许任何人写入，或不是真正的 OSS：请把权限设为私有。",
)
_BLOCK_PUBLIC = Text(
    "Switch Block Public Access of the bucket on: this profile's forms can store what everybody reads.",
    "请打开桶的“阻止公共访问”：这个用途的表单能存入任何人都可读取的文件。",
)
_CHECK_HOST = unreachable("OSS_HOST", "OSS_BUCKET", "OSS_REGION")
_MAY_NOT_READ = set_up_again("oss:GetObject there", "在那里 oss:GetObject")
_ENDPOINT = Text(
    "OSS_ENDPOINT must lead to the same bucket as OSS_HOST.", "OSS_ENDPOINT 与 OSS_HOST 应指向同一个桶。"
)
_NO_PARTS_YET = set_up_again("uploads in parts there", "在那里分片上传")
_REMEDIES = {403: OTHER_SECRETS, 404: OTHER_PROFILES, 502: _MAY_NOT_READ}
_OF_PARTS = {400: OTHER_PROFILES, 404: OTHER_PROFILES, 502: _NO_PARTS_YET}
