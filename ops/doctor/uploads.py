"""
The checks of ``doctor`` that upload: a smallest file through a form of each profile, and two that must fail.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from function.config.content_types import EXTENSION_OF_TYPE
from function.config.profile import ACL_FIELD, Profile
from function.config.settings import Settings
from function.sts.credentials import AccessKeys
from ops.client.form_upload import Answer, post_form
from ops.doctor.exchange import Refused, ask, claims_of, finding_of
from ops.doctor.findings import Finding, State, pasted_in, refusal
from ops.doctor.proof.sandbox import Sandbox
from ops.explain.pasted import PastedForm
from ops.terminal.language import Failure, Text

MOST_BYTES = 1024 * 1024
TAKEN = (200, 203, 204)
OTHER_KEY = Text("A changed key", "改动 key")
REMOVAL = Text("Removal", "清理")


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

    def check_profile(self, profile: Profile) -> Finding:
        """Upload the smallest file that the profile admits."""
        check = Text(f"Upload [{profile.name}]", f"上传 [{profile.name}]")
        if profile.min_size_bytes > MOST_BYTES:
            said = Text("min_size is over 1 MiB; not tried", "min_size 超过 1 MiB，未尝试")
            return Finding(check, State.SKIPPED, said)
        return finding_of(check, partial(self._store, profile))

    def _store(self, profile: Profile) -> Text:
        url, fields = self._form_of(profile)
        answer = _post(url, fields, max(profile.min_size_bytes, 1))
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

    def check_changed_key(self, profile: Profile) -> Finding:
        """A form must be good for its own key only."""
        return finding_of(
            OTHER_KEY, lambda: self._must_be_refused(profile, "key", "{}-other", _ANYONE_WRITES)
        )

    def check_public_page(self, profile: Profile) -> Finding:
        """A page that chooses its file's name must not choose who reads it, though no condition says so."""
        check = Text(f"A public file of [{profile.name}]", f"[{profile.name}] 的公开文件")
        public = partial(self._must_be_refused, profile, ACL_FIELD, "public-read", _BLOCK_PUBLIC)
        return finding_of(check, public)

    def _must_be_refused(self, profile: Profile, name: str, value: str, remedy: Text) -> Text:
        url, fields = self._form_of(profile)
        fields[name] = value.format(fields.get(name))
        answer = _post(url, fields, 1)
        if answer.status == 403:
            return Text("is refused, as it must be", "被拒绝，符合预期")
        if answer.status not in TAKEN:
            raise Refused(*_refusal(answer))
        self.keys_left.append(fields["key"])
        raise Refused(Text(f"{fields['key']} was taken", f"{fields['key']} 被接受了"), remedy)

    def remove(self, keys: AccessKeys | None) -> Finding:
        """Remove what was uploaded, where these keys may; the roles of a deployment may not."""
        if not self.keys_left:
            return Finding(REMOVAL, State.SKIPPED, Text("nothing was uploaded", "没有上传任何文件"))
        count, remaining = len(self.keys_left), self.keys_left
        if keys is not None:
            sandbox = Sandbox(self.settings, keys, self.now)
            sandbox.keys_left = remaining
            remaining = sandbox.remove()
        self.keys_left = remaining
        if not remaining:
            said = Text(f"{count} test files removed", f"已删除 {count} 个测试文件")
            return Finding(REMOVAL, State.GOOD, said)
        listed = ", ".join(remaining)
        said = Text(f"no key here may delete; left: {listed}", f"这里没有密钥可以删除；保留：{listed}")
        remedy = Text("Delete them in the OSS console, or leave them.", "可在 OSS 控制台删除，或保留。")
        return Finding(REMOVAL, State.UNSURE, said, remedy)

    def _form_of(self, profile: Profile) -> tuple[str, dict[str, str]]:
        kind = _some_type(profile)
        wanted = {
            "profile": profile.name,
            "filename": f"doctor.{EXTENSION_OF_TYPE.get(kind, 'bin')}",
            "contentType": kind,
            "size": max(profile.min_size_bytes, 1),
            # Nobody compares it with the bytes; one of its own is there already for nobody.
            "sha256": secrets.token_hex(32) if profile.key.takes_digest else None,
        }
        answer = ask(self.url, "upload-params", wanted, self.token)
        form = pasted_in(json.dumps(answer))
        if not isinstance(form, PastedForm):
            raise Refused(_NO_FORM, _CHECK_HOST)
        fields = dict(form.fields)
        if form.folder is not None:
            name = f"doctor-{secrets.token_hex(8)}.txt"
            fields = {"key": form.folder + name, "success_action_status": "200", **fields}
        if isinstance(answer.get("ticket"), str):
            self.tickets[fields["key"]] = answer["ticket"]
        return form.url, fields

    def _called_back(self, answer: Answer) -> Text:
        try:
            receipt = json.loads(answer.text)["receipt"]
        except (ValueError, KeyError, TypeError):
            said = Text("stored, but the callback sent no receipt", "已保存，但回调没有返回回执")
            remedy = Text("CALLBACK_URL leads to something else.", "CALLBACK_URL 指向了别处。")
            raise Refused(said, remedy) from None
        claims_of(receipt, self.settings, self.now)
        return Text("stored, called back, receipt good", "已保存，已回调，回执有效")


def _post(url: str, fields: Mapping[str, str], size: int) -> Answer:
    try:
        return post_form(url, fields, ("doctor.txt", b"." * size))
    except Failure as error:
        raise Refused(error.said, _CHECK_HOST) from None


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
_CHECK_HOST = Text(
    "Check OSS_HOST, OSS_BUCKET and OSS_REGION, and the network.",
    "请检查 OSS_HOST、OSS_BUCKET、OSS_REGION 与网络。",
)
