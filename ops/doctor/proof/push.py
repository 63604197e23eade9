"""Questions to the deployed function about WeChat's message push, asked where it has the settings of one."""

import json
import secrets
from urllib.parse import urlencode

from function.moderation.wechat import CANNOT_OPEN
from function.moderation.wechat_verdict import EVENT
from function.wechat.push import signature_of
from local.wechat.sealing import RANDOM_BYTES, seal
from ops.doctor.deployed import check_push, push_route
from ops.doctor.evidence import NotTried
from ops.doctor.findings import State
from ops.doctor.proof.callers import status_of
from ops.doctor.proof.point import Seen, told
from ops.doctor.proof.sandbox import Sandbox
from ops.doctor.proof.wechat import NO_PUSH, app_of, entry_of, verdict_of


def forged_push_is_refused(sandbox: Sandbox) -> Seen:
    """
    A verdict with another signature, and one in plain text.

    A right one would be kept as a record, and forwarded to the business.
    """
    entry, app = entry_of(sandbox), app_of(sandbox)
    findings = check_push(sandbox.settings, sandbox.function_url)
    if app.push is None or not findings:
        raise NotTried(NO_PUSH)
    if findings[0].state is not State.GOOD:
        raise NotTried(f"{findings[0].said.en} {findings[0].remedy and findings[0].remedy.en}")
    trace = f"prove-{secrets.token_hex(8)}"
    sandbox.verdicts_left.append(verdict_of(trace, entry, sandbox.settings))
    event = {"MsgType": "event", "Event": EVENT, "trace_id": trace, "errcode": CANNOT_OPEN}
    random = secrets.token_hex(RANDOM_BYTES // 2).encode()
    sealed = {"Encrypt": seal(json.dumps(event).encode(), app.appid, app.push.aes_key, random)}
    query = {"timestamp": str(int(sandbox.now.timestamp())), "nonce": secrets.token_hex(8)}
    plain = {**query, "signature": signature_of(app.push.token, query)}
    right = signature_of(app.push.token, query, sealed["Encrypt"])
    wrong = {**query, "msg_signature": right[::-1]}
    statuses = tuple(
        status_of(sandbox, f"{push_route(entry)}?{urlencode(asked)}", message)
        for asked, message in ((wrong, sealed), (plain, event))
    )
    return told(statuses == (403, 403), "HTTP {}; HTTP {}".format(*statuses))
