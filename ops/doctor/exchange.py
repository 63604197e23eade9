"""Exchanges of ``doctor`` with the deployed function and OSS."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

import requests

from function.auth.signed_tokens import RECEIPT, read_token
from function.config.settings import Settings
from function.errors import Unauthorized
from ops.client.form_upload import Answer, open_session
from ops.client.function_client import FunctionAtUrl, FunctionSilent
from ops.doctor.findings import Refused, deploy_again, refusal, same, unreachable
from ops.terminal.language import Text

TIMEOUT_SECONDS = 10
NO_OTHERS: Mapping[int, Text] = MappingProxyType({})


def ask(
    url: str, route: str, message: Any, token: str = "", remedies: Mapping[int, Text] = NO_OTHERS
) -> dict[str, Any]:
    """
    Return the response of the deployed function.

    Args:
        remedies: by status, in place of those for the error code.

    Raises:
        Refused: it is silent, or the response is an error.
    """
    answer = answer_of(url, route, message, token)
    if answer.status != 200:
        said, remedy = refusal(answer.status, answer.text)
        raise Refused(said, remedies.get(answer.status, remedy))
    return answer.json


def answer_of(url: str, route: str, message: Any, token: str = "", remedy: Text | None = None) -> Answer:
    """Raises Refused: the function is silent."""
    try:
        return FunctionAtUrl(url).ask(route, message, token)
    except FunctionSilent as error:
        raise Refused(error.said, remedy or unreachable("--url")) from None


def send(
    method: str, url: str, settings: tuple[str, ...], remedies: Mapping[int, Text] = NO_OTHERS, **options: Any
) -> str:
    """
    Send a request to a signed URL, which OSS must answer with 200, and return its origin.

    Args:
        settings: names of those that the address comes from.

    Raises:
        Refused: as ``ask``.
    """
    origin = "/".join(url.split("/")[:3])
    try:
        with open_session(url) as session:
            answer = session.request(method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options)
    except requests.RequestException as error:
        raise Refused(same(f"{origin}: {type(error).__name__}"), unreachable(*settings)) from None
    if answer.status_code != 200:
        said, remedy = refusal(answer.status_code, answer.text, answer.headers.get("x-oss-ec", ""))
        raise Refused(said, remedies.get(answer.status_code, remedy))
    return origin


def log_in_at(url: str, code: str, app: str = "") -> str:
    """Return the token that the function gives for a login code of this app; raise ``Refused``."""
    token = ask(url, "login", {"code": code, "app": app}).get("token")
    if not isinstance(token, str):
        raise Refused(NOT_OURS, OTHER_ADDRESS)
    return token


def claims_of(receipt: object, settings: Settings, now: datetime) -> dict[str, Any]:
    """Return the claims of a receipt; raise ``Refused`` if another secret has signed it."""
    try:
        return read_token(str(receipt), audience=RECEIPT, secrets=settings.receipt_secrets, now=now)
    except Unauthorized:
        said = Text("the receipt is signed with another secret", "回执用了别的密钥签名")
        raise Refused(said, OTHER_SECRETS) from None


OTHER_SECRETS = deploy_again(
    "TOKEN_SECRET, RECEIPT_SECRET or WECHAT_APPID", " TOKEN_SECRET、RECEIPT_SECRET 或 WECHAT_APPID "
)
NOT_OURS = Text("the answer is not this function's", "这不是本函数的响应")
OTHER_ADDRESS = Text("See that --url is the function's address.", "请确认 --url 是函数的地址。")
