"""
The check of ``doctor`` on the timer: whether ticks end what is due.

Nothing says so but the records themselves: one that is long due has met no tick, and one that this visit
writes is gone after the next.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import islice

from function.config.key_template import DUE
from function.config.settings import Settings
from function.errors import UploadError
from function.http.client import send
from function.operations.tick import KINDS
from function.oss import due
from function.oss.client import OssClient, budget
from function.oss.objects import get_record
from function.sts.credentials import AccessKeys, StsCredentials
from function.sts.session_policy import OBJECTS
from ops.doctor.findings import Refused, State, check, logged, set_up_again, unreachable
from ops.doctor.identity import assume, sts_remedy
from ops.terminal.language import Text

# A record of this kind is removed by a tick, and means nothing else.
PROBE = "doctor"
# The timer runs each minute, and a tick takes up to 20 seconds.
LATE = timedelta(minutes=3)
WAIT_SECONDS, PAUSE_SECONDS = 150, 5
MOST_COUNTED = 1000


def may_be_due(settings: Settings) -> bool:
    policy = settings.session_policies.get(settings.home.session(OBJECTS), "")
    return f"{settings.bucket}/{DUE}*" in policy


@check(Text("Timer", "定时触发器"))
def check_timer(
    settings: Settings, keys: AccessKeys, now: datetime, sleep: Callable[[float], None] | None
) -> Text:
    """
    Look for what should have ended, and perhaps wait for a tick.

    Args:
        sleep: to wait for a tick, which takes minutes; ``None`` to look alone.
    """
    try:
        oss = client_of(settings, assume(settings, OBJECTS, keys, now), now)
    except UploadError as error:
        raise Refused(logged(error), sts_remedy(error)) from None
    try:
        late = _late(oss, now)
        is_gone = not late and sleep is not None and _is_removed(oss, now, sleep)
    except UploadError as error:
        remedy = _SET_UP_AGAIN if error.upstream == "AccessDenied" else unreachable("OSS_HOST", "OSS_REGION")
        raise Refused(logged(error), remedy, State.UNSURE) from None
    if late:
        minutes = int((now - late[0]) / timedelta(minutes=1))
        said = Text(
            f"{len(late)} due records are late, the oldest by {minutes} min",
            f"{len(late)} 条到期记录没有处理，最早的已过 {minutes} 分钟",
        )
        raise Refused(said, _SLOWER, State.UNSURE)
    if sleep is None:
        return Text("nothing that is due is late", "没有过期未处理的记录")
    if is_gone:
        return Text("a tick removed a due record", "定时触发器处理了一条到期记录")
    raise Refused(Text(f"no tick within {WAIT_SECONDS} s", f"{WAIT_SECONDS} 秒内没有触发"), _SLOWER)


def client_of(settings: Settings, credentials: StsCredentials, now: datetime) -> OssClient:
    """Return a client for the bucket, as the function has it."""
    place = settings.bucket, settings.region
    # This machine may not reach the internal host that the function asks.
    return OssClient(*place, settings.host, credentials, now, send, budget())


def _late(oss: OssClient, now: datetime) -> list[datetime]:
    """Return the minutes of known records that have been due for long, oldest first."""
    late = (record.at for record in due.list_due(oss, now - LATE) if record.kind in KINDS)
    return sorted(islice(late, MOST_COUNTED))


def _is_removed(oss: OssClient, now: datetime, sleep: Callable[[float], None]) -> bool:
    """Write a record that is due, and wait until a tick has removed it; what is left is removed."""
    name = due.write(oss, PROBE, "", secrets.token_hex(8), now, {}, now)
    try:
        for _ in range(WAIT_SECONDS // PAUSE_SECONDS):
            sleep(PAUSE_SECONDS)
            # Each look has the time of a request: together they take minutes.
            if get_record(oss._replace(seconds_left=budget()), name) is None:
                return True
        return False
    finally:
        due.remove(oss._replace(seconds_left=budget()), name)


_SLOWER = Text(
    "Without ticks a publication that was cut off, a check without a verdict and an erasure wait for the next"
    " call about them, and a webhook that failed for manage.py webhooks --redeliver. See that the function"
    " has its timer trigger and that it is on (make deploy), and look for route tick in the function's log.",
    "没有定时触发，中断的发布、没有结果的审核和没做完的清除，要等到下一次相关的调用才继续；"
    "失败的 webhook 通知要用 manage.py webhooks --redeliver 发送。"
    "请确认函数有定时触发器并且已启用（make deploy），再看函数日志里 route 为 tick 的行。",
)
_SET_UP_AGAIN = set_up_again("what ticks need", "定时处理所需的操作")
