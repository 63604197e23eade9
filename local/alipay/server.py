"""
The HTTP side of the local Alipay: ``POST /gateway.do``, and switches for who tests against it.
"""

import json
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from local.alipay.errors import AlipayError
from local.alipay.faults import DOUBLED, ERRORS, FORGED, MISSING, UNSIGNED
from local.alipay.platform import METHOD, Alipay
from local.alipay.rules import AlipayRules
from local.alipay.signing import key_of, sign
from local.common.clock import Clock, utc_now
from local.common.faults import ANSWER_LOST, RAW
from local.common.login import LoginHandler
from local.common.service import Service

PATH = "/gateway.do"
BODY_BYTES = 16 * 1024
NODE, ERROR_NODE = f"{METHOD.replace('.', '_')}_response", "error_response"
# The name of the gateway's own key; no app has it.
GATEWAY = "gateway"
SOMEBODY_ELSE = {"open_id": "074aSomebodyElse", "user_id": "2088000000000000"}
# What the gateway sends JSON as; clients have to parse it all the same.
CONTENT_TYPE = "text/html;charset=utf-8"


class AlipayServer(Alipay, Service):
    """
    One local Alipay.

    Args:
        port: ``0`` takes any free one.

        rules: as ``Alipay`` has them.
    """

    def __init__(self, port: int = 0, now: Clock = utc_now, rules: AlipayRules | None = None) -> None:
        Alipay.__init__(self, now, rules or AlipayRules())
        Service.__init__(self, partial(_Handler, self), port)


class _Handler(LoginHandler):
    platform: Alipay

    def _serve(self) -> None:
        call = self.read_call(PATH, BODY_BYTES)
        if call is None:
            return
        query, body = call
        # The common fields may be in the query, the others in the body.
        given = dict(parse_qsl(f"{query}&{body.decode('utf-8', 'replace')}", errors="replace"))
        app_id, fault = given.get("app_id", ""), self.platform.faults.take()
        if self.plays(fault, RAW, PATH, app_id):
            return
        kind = fault.kind if fault else ""
        said = self.platform.take(given)
        said = ERRORS.get(kind, said)
        self.platform.record(PATH, app_id, said.sub_code if isinstance(said, AlipayError) else 0)
        if kind == ANSWER_LOST:
            self.drop_connection()
        else:
            self.answer(200, self._text(said, kind).encode(), CONTENT_TYPE)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _text(self, said: dict[str, Any] | AlipayError, kind: str) -> str:
        """Return the answer as text; the signature covers the inner object as it is written."""
        rules = self.platform.rules
        is_error = isinstance(said, AlipayError)
        node = ERROR_NODE if is_error and not rules.alipay_errors_in_node else NODE
        fields = said._asdict() if isinstance(said, AlipayError) else said
        if kind == MISSING:
            fields = {name: value for name, value in fields.items() if name not in SOMEBODY_ELSE}
        inner = _compact(fields)
        signature = sign(key_of(GATEWAY), inner)
        forged = _compact({name: SOMEBODY_ELSE.get(name, value) for name, value in fields.items()})
        text = f'{{"{node}":{forged if kind == FORGED else inner}'
        if kind != UNSIGNED and (node == NODE or rules.alipay_signs_errors):
            text += f',"sign":"{signature}"'
        return text + (f',"{node}":{forged}}}' if kind == DOUBLED else "}")


def _compact(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
