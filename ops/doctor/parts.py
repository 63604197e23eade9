"""
The check of ``doctor`` on large files: an upload in parts at the deployed function, given up at once.
"""

from typing import Any

import requests

from function.config.profile import Profile
from ops.client.form_upload import open_session
from ops.client.function_client import FunctionAnswer, FunctionAtUrl, FunctionSilent
from ops.doctor.findings import OTHER_PROFILES, Finding, State, refusal, same, unreachable
from ops.terminal.language import Text

TIMEOUT_SECONDS = 10
ONE_BYTE = b"x"


def check_parts(url: str, token: str, profile: Profile) -> Finding:
    """
    Begin an upload, send its one part, have it listed, and give it up: nothing is left behind.

    So OSS says whether the role may all that; the right to complete is the one that forms need, too.
    """
    check = Text(f"Large files [{profile.name}]", f"大文件 [{profile.name}]")
    function = FunctionAtUrl(url)
    try:
        begun = function.ask("multipart", _wanted(profile), token)
        if begun.status != 200:
            return _refused(check, begun)
        if not {"ticket", "parts", "headers"} <= set(begun.json):
            return Finding(check, State.BAD, _NOT_OURS, OTHER_PROFILES)
        ticket = {"ticket": begun.json["ticket"]}
        try:
            finding = _send(check, begun.json)
            listed = function.ask("multipart-parts", ticket, "")
        finally:
            given_up = function.ask("multipart-abort", ticket, "")
    except FunctionSilent as error:
        return Finding(check, State.BAD, error.said, unreachable("--url"))
    if finding is not None:
        return finding
    for answer in (listed, given_up):
        if answer.status != 200:
            return _refused(check, answer)
    if listed.json.get("missing") != 0:
        return Finding(check, State.BAD, Text("OSS does not list the part", "OSS 没有列出这一片"), _ENDPOINT)
    said = Text("a part was sent, listed and given up", "发送、列出并放弃了一片")
    return Finding(check, State.GOOD, said)


def _wanted(profile: Profile) -> dict[str, Any]:
    kind = profile.content_types[0].replace("/*", "/mp4").replace("*/", "video/")
    return {"profile": profile.name, "contentType": kind, "size": max(1, profile.min_size_bytes)}


def _send(check: Text, begun: dict[str, Any]) -> Finding | None:
    part = begun["parts"][0]
    origin = "/".join(part["url"].split("/")[:3])
    try:
        with open_session(part["url"]) as session:
            answer = session.put(
                part["url"],
                data=ONE_BYTE * part["size"],
                headers=begun["headers"],
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
    except requests.RequestException as error:
        said = same(f"{origin}: {type(error).__name__}")
        return Finding(check, State.BAD, said, unreachable("OSS_HOST"))
    if answer.status_code == 200:
        return None
    said, remedy = refusal(answer.status_code, answer.text, answer.headers.get("x-oss-ec", ""))
    return Finding(check, State.BAD, said, remedy)


def _refused(check: Text, answer: FunctionAnswer) -> Finding:
    said, remedy = refusal(answer.status, answer.text)
    return Finding(check, State.BAD, said, _REMEDIES.get(answer.status, remedy))


_NOT_OURS = Text("the answer is not this function's", "这不是本函数的响应")
_ENDPOINT = Text(
    "OSS_ENDPOINT must lead to the same bucket as OSS_HOST.", "OSS_ENDPOINT 与 OSS_HOST 应指向同一个桶。"
)
_REMEDIES = {
    400: OTHER_PROFILES,
    404: OTHER_PROFILES,
    502: Text(
        "The role does not allow uploads in parts there yet: run manage.py setup again.",
        "角色还不允许在那里分片上传：请再运行一次 manage.py setup。",
    ),
}
