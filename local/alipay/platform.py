"""
Local Alipay, independent of sockets: ``alipay.system.oauth.token`` behind the checks of the gateway.

Sources: https://opendocs.alipay.com/common/02kf5q, https://opendocs.alipay.com/open/84bc7352_alipay.system.oauth.token
"""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from local.alipay.errors import INVALID_APP_ID, INVALID_CODE, INVALID_TIMESTAMP, AlipayError, invalid, missing
from local.alipay.faults import new_faults
from local.alipay.rules import AlipayRules
from local.alipay.signing import is_signed, text_to_sign
from local.common.clock import Clock
from local.common.codes import Codes, User
from local.common.login import LoginPlatform

METHOD = "alipay.system.oauth.token"
BEIJING = timezone(timedelta(hours=8))
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"
# What has to be there, with the name that its absence has.
NEEDED = {
    "app_id": "app-id",
    "method": "method",
    "sign_type": "signature-type",
    "sign": "signature",
    "timestamp": "timestamp",
    "version": "version",
    "charset": "charset",
}
# What has one value here, with the name of a refusal.
FIXED = {
    "method": ({METHOD}, "invalid-method"),
    "format": ({"JSON", "json", ""}, "invalid-format"),
    "charset": ({"utf-8", "UTF-8"}, "invalid-charset"),
    "sign_type": ({"RSA2"}, "invalid-signature-type"),
    "version": ({"1.0"}, "invalid-parameter"),
}


class Alipay(LoginPlatform):
    """
    Alipay with the apps that ``register`` names.

    Args:
        rules: how what Alipay's pages leave open is read.
    """

    def __init__(self, now: Clock, rules: AlipayRules) -> None:
        super().__init__(now, new_faults(), Codes(now, rules.alipay_code_lives, "074a", 47))
        self.rules = rules
        self.apps: dict[str, RSAPublicKey] = {}

    def register(self, app_id: str, public_key: RSAPublicKey) -> None:
        """Know an app from now on by the public key that its developer uploaded."""
        self.apps[app_id] = public_key

    def take(self, given: Mapping[str, str]) -> dict[str, Any] | AlipayError:
        """Return the answer to a call with these fields; its code is spent, successful or not."""
        refusal = self._refusal(given)
        if refusal is None and given.get("grant_type") != "authorization_code":
            refusal = invalid("grant-type-invalid")
        code = given.get("code", "")
        if refusal is not None:
            self.codes.spend(code)
            return refusal
        user = self.codes.exchange(given["app_id"], code) if code else ""
        return self._token_of(user) if isinstance(user, User) else INVALID_CODE

    def _refusal(self, given: Mapping[str, str]) -> AlipayError | None:
        for name, what in NEEDED.items():
            if not given.get(name):
                return missing(what)
        for name, (known, what) in FIXED.items():
            if given.get(name, "") not in known:
                return invalid(what)
        key = self.apps.get(given["app_id"])
        if key is None:
            return INVALID_APP_ID
        text = text_to_sign(given)
        if not is_signed(key, text, given["sign"]):
            # It quotes the string to sign, as the real one does: the code is in it.
            return invalid("invalid-signature", f"验签出错，待验签字符串：{text}")
        return None if self._is_timely(given["timestamp"]) else INVALID_TIMESTAMP

    def _is_timely(self, timestamp: str) -> bool:
        try:
            at = datetime.strptime(timestamp, TIME_FORMAT).replace(tzinfo=BEIJING)
        except ValueError:
            return False
        return len(timestamp) == 19 and abs(at - self.now()) <= self.rules.alipay_clock_tolerance

    def _token_of(self, user: User) -> dict[str, Any]:
        number = int.from_bytes(hashlib.sha256(user.name.encode("utf-8", "surrogatepass")).digest())
        open_id = {"open_id": user.openid} if self.rules.alipay_gives_open_id else {}
        user_id = {"user_id": f"2088{number % 10**12:012}"} if self.rules.alipay_gives_user_id else {}
        return {
            "access_token": f"authbseB{secrets.token_hex(16)}",
            "auth_start": self.now().astimezone(BEIJING).strftime(TIME_FORMAT),
            "expires_in": 1296000,
            "re_expires_in": 2592000,
            "refresh_token": f"authbseB{secrets.token_hex(16)}",
            **open_id,
            **user_id,
        }
