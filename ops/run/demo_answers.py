"""
Reading of responses for the demo; an unreadable one ends it with a sentence.
"""

import base64
from collections.abc import Mapping
from typing import Any

import requests

from ops.client.claims import read_claims
from ops.explain.advice import find_advice
from ops.explain.parser import read_pasted
from ops.explain.pasted import PastedError, Unreadable
from ops.terminal.language import Failure, Text
from ops.terminal.masking import printable


class DemoFailed(Failure):
    """A step went wrong."""


def refused(said: Text, answer: str) -> DemoFailed:
    """A refusal, with what to do about it where the table of ``explain`` knows it."""
    try:
        pasted = read_pasted(answer)[0]
    except Unreadable:
        pasted = None
    advice = None
    if isinstance(pasted, PastedError):
        advice = find_advice(pasted.code, pasted.message, pasted.ec)
    return DemoFailed(said, *([advice.remedy] if advice else []))


def json_object(answer: requests.Response, who: Text) -> dict[str, Any]:
    try:
        value = answer.json()
    except ValueError:
        value = None
    if answer.status_code != 200:
        error = value.get("error") if isinstance(value, dict) else None
        said = f"{error['code']}: {error['message']}" if isinstance(error, dict) else answer.text[:300]
        said = f"{answer.status_code}, {printable(said)}"
        raise refused(Text(f"{who.en} answered {said}", f"{who.zh}返回 “{said}”"), answer.text)
    if not isinstance(value, dict):
        said = one_line(answer.text)
        raise DemoFailed(
            Text(f"{who.en} answered no JSON object: {said}", f"{who.zh}的响应不是 JSON 对象：“{said}”")
        )
    return value


def one_line(text: str) -> str:
    return printable(" ".join(text.split())[:500])


def answer_to(route: str) -> Text:
    return Text(f"the answer to {route}", f" {route} 的响应")


def member(answer: Mapping[str, Any], name: str, where: Text) -> Any:
    if not answer.get(name):
        raise DemoFailed(Text(f"There is no {name!r} in {where.en}.", f"{where.zh.strip()}里没有 {name!r}。"))
    return answer[name]


def decoded(policy: str) -> str:
    try:
        return base64.b64decode(policy, validate=True).decode()
    except ValueError:
        raise DemoFailed(
            Text(
                "The policy of the form is not base64 of UTF-8 text.",
                "表单的 policy 不是 UTF-8 文字的 base64。",
            )
        ) from None


def claims_of(receipt: str) -> dict[str, Any]:
    claims = read_claims(receipt)
    if claims is None:
        raise DemoFailed(Text("The receipt is no JWT.", "回执不是 JWT。"))
    return claims
