"""
The local Alipay: ``alipay.system.oauth.token`` behind the checks of its gateway, ``POST /gateway.do``.

Sources: https://opendocs.alipay.com/common/02kf5q, https://opendocs.alipay.com/open/84bc7352_alipay.system.oauth.token
"""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from local.alipay import errors
from local.alipay.errors import AlipayError, invalid, missing
from local.alipay.rules import AlipayRules
from local.alipay.signing import is_signed, key_of, sign, text_to_sign
from local.common.clock import Clock, utc_now
from local.common.codes import Codes, User
from local.common.faults import Faults
from local.common.login import LoginPlatform, OneCallHandler
from local.common.service import Service

PATH, METHOD = "/gateway.do", "alipay.system.oauth.token"
NODE, ERROR_NODE = f"{METHOD.replace('.', '_')}_response", "error_response"
BEIJING, TIME_FORMAT = timezone(timedelta(hours=8)), "%Y-%m-%d %H:%M:%S"
NEEDED = ("app_id", "method", "sign_type", "sign", "timestamp", "version", "charset")
KNOWN = {"method": METHOD, "format": "JSON", "charset": "utf-8", "sign_type": "RSA2", "version": "1.0"}
# The name of the gateway's own key; no app has it.
GATEWAY = "gateway"
SOMEBODY_ELSE = {"open_id": "074aSomebodyElse", "user_id": "2088000000000000"}
# What the gateway sends JSON as; clients have to parse it all the same.
CONTENT_TYPE = "text/html;charset=utf-8"


class AlipayServer(LoginPlatform, Service):
    """
    One local Alipay.

    Args:
        port: ``0`` takes any free one.

        rules: how what Alipay's pages leave open is read.

    Attributes:
        apps: public keys that their developers uploaded, by the id of the app.
    """

    def __init__(self, port: int = 0, now: Clock = utc_now, rules: AlipayRules | None = None) -> None:
        self.rules = rules or AlipayRules()
        self.apps: dict[str, RSAPublicKey] = {}
        codes = Codes(now, self.rules.alipay_code_lives, "074a", 47)
        LoginPlatform.__init__(self, now, Faults(errors.KINDS), codes)
        Service.__init__(self, partial(_Handler, self), port)

    def take(self, given: Mapping[str, str]) -> dict[str, Any] | AlipayError:
        """Return the answer to a call with these fields; its code is spent, successful or not."""
        code, refusal = given.get("code", ""), self._refusal(given)
        if refusal is not None:
            self.codes.spend(code)
            return refusal
        user = self.codes.exchange(given["app_id"], code) if code else ""
        return self._token_of(user) if isinstance(user, User) else errors.INVALID_CODE

    def _refusal(self, given: Mapping[str, str]) -> AlipayError | None:
        for name in NEEDED:
            if not given.get(name):
                return missing(name)
        for name, known in KNOWN.items():
            if given.get(name, known) != known:
                return invalid(name)
        key, text = self.apps.get(given["app_id"]), text_to_sign(given)
        if key is None:
            return invalid("app_id")
        if not is_signed(key, text, given["sign"]):
            # It quotes the string to sign, as the real one does: the code is in it.
            return invalid("sign")._replace(sub_msg=f"验签出错，待验签字符串：{text}")
        if not self._is_timely(given["timestamp"]):
            return invalid("timestamp")
        return None if given.get("grant_type") == "authorization_code" else errors.INVALID_GRANT

    def _is_timely(self, timestamp: str) -> bool:
        try:
            at = datetime.strptime(timestamp, TIME_FORMAT).replace(tzinfo=BEIJING)
        except ValueError:
            return False
        return len(timestamp) == 19 and abs(at - self.now()) <= self.rules.alipay_clock_tolerance

    def _token_of(self, user: User) -> dict[str, Any]:
        number = int.from_bytes(hashlib.sha256(user.name.encode("utf-8", "surrogatepass")).digest())
        ids = {"open_id": user.openid} if self.rules.alipay_gives_open_id else {}
        if self.rules.alipay_gives_user_id:
            ids["user_id"] = f"2088{number % 10**12:012}"
        return {
            "access_token": f"authbseB{secrets.token_hex(16)}",
            "auth_start": self.now().astimezone(BEIJING).strftime(TIME_FORMAT),
            "expires_in": 1296000,
            "re_expires_in": 2592000,
            "refresh_token": f"authbseB{secrets.token_hex(16)}",
            **ids,
        }


class _Handler(OneCallHandler):
    platform: AlipayServer
    path_of_login, errors = PATH, errors.ERRORS

    def fields(self, query: str, body: bytes) -> dict[str, str]:
        """The common fields may be in the query, the others in the body."""
        return dict(parse_qsl(f"{query}&{body.decode('utf-8', 'replace')}", errors="replace"))

    def tell(self, said: dict[str, Any] | AlipayError, kind: str) -> None:
        """Send an answer; the signature covers the inner object as it is written."""
        rules, is_error = self.platform.rules, isinstance(said, AlipayError)
        node = ERROR_NODE if is_error and not rules.alipay_errors_in_node else NODE
        fields = said._asdict() if isinstance(said, AlipayError) else said
        if kind == errors.MISSING:
            fields = {name: value for name, value in fields.items() if name not in SOMEBODY_ELSE}
        inner = _compact(fields)
        forged = _compact({name: SOMEBODY_ELSE.get(name, value) for name, value in fields.items()})
        text = f'{{"{node}":{forged if kind == errors.FORGED else inner}'
        if kind != errors.UNSIGNED and (node == NODE or rules.alipay_signs_errors):
            text += f',"sign":"{sign(key_of(GATEWAY), inner)}"'
        text += f',"{node}":{forged}}}' if kind == errors.DOUBLED else "}"
        self.answer(200, text.encode(), CONTENT_TYPE)


def _compact(fields: Mapping[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
