"""Parser of pastes: a policy, a form, an error, or what the function wrote."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from email.parser import HeaderParser
from typing import Any
from xml.etree import ElementTree

from function.auth.signed_tokens import json_part
from ops.explain.advice import PLATFORM, find_advice
from ops.explain.pasted import (
    Kind,
    Pasted,
    PastedError,
    PastedForm,
    PastedOther,
    Unreadable,
    form_of,
    texts,
)

MAX_CHARACTERS = 4_000_000
# Behind time, request id and level, as Function Compute writes them.
LOG_LINE = re.compile(r'^[^{\n]*(\{"(?:requestId|webhook|check|due)":.*\})\s*$', re.MULTILINE)
TOKEN = re.compile(r"[\w-]+\.([\w-]+)\.[\w-]+")
OPENID = re.compile(r"o[\w-]{27}")
ERRCODE = re.compile(r"(?:errcode\W*)?(-1|-1008|\d{5})")
EC = re.compile(r"\d{4}-\d{8}")


def read_pasted(text: str) -> list[Pasted]:
    """Tell what was pasted, perhaps several forms; raise ``Unreadable``."""
    if len(text) > MAX_CHARACTERS:
        raise Unreadable("It is too long for a form or an error (over 4 MB).", "内容过长（超过 4 MB）。")
    text = text.lstrip("\ufeff").strip()
    if not text:
        raise Unreadable("There is nothing to read.", "没有内容可读。")
    status, headers, body = _split_headers(text)
    if not body and status is not None:
        return [_without_a_body(status, headers)]
    return _read_body(body, status, headers)


def _read_body(body: str, status: int | None, headers: Mapping[str, str]) -> list[Pasted]:
    if logged := LOG_LINE.findall(body):
        return [_read_json(line, None, {})[0] for line in logged]
    if body.startswith("<"):
        return [_read_xml(body, status, headers)]
    if body.startswith(("{", "[", '"')):
        return _read_json(body, status, headers)
    decoded = decode_base64(body)
    if decoded is not None and decoded.lstrip().startswith("{"):
        return [PastedOther(Kind.POLICY, decoded)]
    if word := _read_word(body):
        return [word]
    if find_advice(PLATFORM, body):
        return [PastedError(PLATFORM, body)]
    raise Unreadable(
        "It is neither XML, JSON, the base64 of a policy, a token, nor a code or message that is known.",
        "它既不是 XML、JSON、policy 的 base64、令牌，也不是已知的错误码或报错文字。",
    )


def _read_word(body: str) -> Pasted | None:
    """A token, an error code, an EC, an errcode or an openid."""
    if (token := TOKEN.fullmatch(body)) and (claims := json_part(token[1])):
        return PastedOther(Kind.TOKEN, (body, claims))
    if errcode := ERRCODE.fullmatch(body):
        return PastedError(errcode[1], "")
    if EC.fullmatch(body):
        return PastedError("", "", body)
    if re.fullmatch(r"[A-Za-z][\w.-]*(?: -?\d+)?", body) and find_advice(body):
        return PastedError(body, "")
    return PastedOther(Kind.OPENID, body) if OPENID.fullmatch(body) else None


def decode_base64(text: str) -> str | None:
    """The UTF-8 text behind base64, line breaks allowed, or ``None``."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


def _split_headers(text: str) -> tuple[int | None, dict[str, str], str]:
    """Take the status lines and headers of ``curl -i`` off; several blocks may follow each other."""
    status: int | None = None
    headers: dict[str, str] = {}
    while match := re.match(r"HTTP/[\d.]+ (\d{3})[^\n]*\n?", text):
        read = HeaderParser().parsestr(text[match.end() :])
        status, text = int(match[1]), str(read.get_payload()).strip()
        headers = {name.lower(): value for name, value in read.items()}
    return status, headers, text


def _without_a_body(status: int, headers: Mapping[str, str]) -> Pasted:
    if status in (200, 201, 204):
        return PastedOther(Kind.ANSWER)
    code = "CallbackFailed" if status == 203 else ""
    request_id = headers.get("x-oss-request-id", headers.get("x-fc-request-id", ""))
    return PastedError(code, "", headers.get("x-oss-ec", ""), request_id, status)


def _read_xml(body: str, status: int | None, headers: Mapping[str, str]) -> Pasted:
    try:
        # OSS names no entities; who does is not OSS.
        root = ElementTree.fromstring("" if "<!" in body else body)
    except ElementTree.ParseError:
        raise Unreadable(*_NO_OSS_XML) from None
    values = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in root}
    tag = root.tag.rpartition("}")[2]
    if tag == "PostResponse":
        return PastedOther(Kind.ANSWER)
    if tag != "Error" or not values.get("Code"):
        raise Unreadable(*_NO_OSS_XML)
    name = values.get("ArgumentName")
    return PastedError(
        code=values["Code"],
        message=values.get("Message", ""),
        ec=values.get("EC") or headers.get("x-oss-ec", ""),
        request_id=values.get("RequestId") or headers.get("x-oss-request-id", ""),
        status=status,
        argument=(name, values.get("ArgumentValue", "")) if name else None,
        endpoint=values.get("Endpoint", ""),
        host=values.get("HostId", ""),
    )


def _read_json(body: str, status: int | None, headers: Mapping[str, str]) -> list[Pasted]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        en = zh = ""
        if isinstance(error, json.JSONDecodeError):
            en = f" (line {error.lineno}, column {error.colno})"
            zh = f"（第 {error.lineno} 行第 {error.colno} 列）"
        raise Unreadable(
            f"It looks like JSON but does not parse{en}; paste the whole body.",
            f"看起来是 JSON 但无法解析{zh}；请粘贴完整内容。",
        ) from None
    if isinstance(value, str):
        return _read_body(value.strip() or "-", status, headers)
    if not isinstance(value, dict):
        raise Unreadable("It is JSON, but not an object.", "这是 JSON，但不是对象。")
    if isinstance(value.get("data"), str) and isinstance(value.get("statusCode"), int):
        # What wx.uploadFile hands to its success function, printed by the developer tools.
        return read_pasted(f"HTTP/1.1 {value['statusCode']:03d}\n\n{value['data']}")
    # Several files of /upload-params, several receipts of /commit.
    for name in ("uploads", "results"):
        several = value.get(name)
        if isinstance(several, list) and several and all(isinstance(item, dict) for item in several):
            return [_read_object(item, status) for item in several]
    return [_read_object(value, status)]


def _read_object(value: Mapping[str, Any], status: int | None) -> Pasted:
    if ("requestId" in value and "route" in value) or (
        "reason" in value and {"webhook", "check", "due"} & set(value)
    ):
        return PastedOther(Kind.LOG_LINE, value)
    for name, code in (("errcode", "{}"), ("err_no", "err_no {}")):
        if isinstance(value.get(name), int):
            return PastedError(code.format(value[name]), "")
    # Alipay's node has the name of the method.
    for node in value.values():
        if isinstance(node, dict) and isinstance(node.get("sub_code"), str):
            return PastedError(node["sub_code"], "")
    if isinstance(value.get("errMsg"), str):
        # What a platform hands to its fail function; devices send errno as well.
        return PastedError(PLATFORM, f"{value['errMsg']} errno:{value.get('errno', '')}")
    error = value.get("error")
    if isinstance(error, dict) and isinstance(error.get("code"), str):
        return PastedError(
            error["code"], str(error.get("message", "")), "", str(error.get("requestId", "")), status
        )
    # STS has the first form; pages of Function Compute show all three.
    for code, message in (("Code", "Message"), ("errorCode", "errorMessage"), ("ErrorCode", "ErrorMessage")):
        if isinstance(value.get(code), str) and message in value:
            request_id = str(value.get("RequestId", ""))
            return PastedError(value[code], str(value[message]), "", request_id, status)
    if isinstance(value.get("formData"), dict):
        return PastedForm(str(value.get("url", "")), texts(value["formData"]))
    if "expiration" in value or "conditions" in value:
        return PastedOther(Kind.POLICY, json.dumps(value))
    if isinstance(value.get("policy"), str):
        return form_of(value)
    if "receipt" in value or "state" in value or value.get("status") == "ok":
        return PastedOther(Kind.ANSWER)
    raise Unreadable(
        "It is JSON, but neither a policy, a form, an error nor an answer of this function.",
        "这是 JSON，但既不是 policy、表单、错误，也不是本函数的返回值。",
    )


_NO_OSS_XML = (
    "It looks like XML (or HTML), but is no error of OSS (<Error> with a <Code>); paste the whole body.",
    "看起来是 XML（或 HTML），但不是完整的 OSS 错误（带 <Code> 的 <Error>）；请粘贴完整内容。",
)
