"""
Many requests, 16 at a time, while STS fails 30 % of the time: memory stays flat, no form outlives its
credentials, and every other answer says when to ask again.

Credentials live 15 minutes on a clock that each request moves a little, so they are renewed over and over.
"""

import json
import resource
import time
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from local.common.accounts import AccessKey, Accounts
from local.sts.server import StsServer
from quality.torture.report import Progress, Result
from tests.support import stage
from tests.support.canaries import LogWatch, Watch

START = datetime(2026, 11, 24, 14, 0, 0, tzinfo=UTC)
REQUESTS, AT_A_TIME, ROUNDS = 1_000_000, 16, 5
STEP = timedelta(seconds=0.08)
SESSION_SECONDS, MARGIN = 900, timedelta(seconds=60)
# Together 30 of 100 calls; each fault is drawn by itself, so later ones see what the earlier ones left.
STS_FAULTS = {"throttled": 0.10, "drop": 0.10 / 0.9, "status_500": 0.10 / 0.8}
MAX_GROWTH_BYTES = 8 * 2**20


def judge(reply: stage.Reply, accounts: Accounts) -> str:
    """Return what one answer breaks, empty for nothing."""
    if reply.outcome == (503, "sts_unavailable") and "Retry-After" in reply.headers:
        return ""
    if reply.status != 200:
        return f"lost: {reply.status} {reply.code}"
    form = reply.json["formData"]
    key = accounts.find(form["x-oss-credential"].partition("/")[0])
    ends = datetime.fromisoformat(json.loads(b64decode(form["policy"]))["expiration"])
    if key is None or key.expires_at is None or ends + MARGIN > key.expires_at:
        return f"a form until {ends}"
    return ""


def run(requests: int = REQUESTS, step: timedelta = STEP) -> Result:
    """Ask so often, on a clock that each reading moves by ``step``."""
    started, watch, result = time.monotonic(), Watch(), Result("soak")
    accounts = Accounts(own := AccessKey("LTAIOwn", watch.plant("own-secret")))
    ticks, progress = count(), Progress("soak", requests)

    def now() -> datetime:
        return START + next(ticks) * step

    with TemporaryDirectory() as folder, LogWatch(watch):
        sts = StsServer(
            *(accounts, stage.ROLE),
            now=now,
            clock_window=stage.ANY_TIME,
            new_secret=lambda: watch.plant("role-secret"),
        )
        for kind, rate in STS_FAULTS.items():
            sts.faults.plan(kind, rate=rate)
        sts.start()
        try:
            profiles = Path(folder) / "profiles.toml"
            profiles.write_text(stage.PROFILES, "utf-8")
            ask = _asking(stage.planted_environment(watch, str(profiles)), own, sts.origin, now, watch)
            counts, sizes = Counter[str](), list[int]()
            for number in range(1, ROUNDS + 1):
                with ThreadPoolExecutor(AT_A_TIME) as pool:
                    replies = pool.map(lambda _: judge(ask(), accounts), range(requests // ROUNDS))
                    counts.update(replies)
                sizes.append(resident_bytes())
                progress.show(number * requests // ROUNDS)
        finally:
            sts.stop()
    growth = sizes[-1] - sizes[0]
    result.figures = [
        (f"requests, {AT_A_TIME} at a time", f"{requests:,}"),
        ("calls of STS", f"{len(sts.calls):,}"),
        ("memory grown after a fifth, KB / allowed", f"{growth // 1024:,} / {MAX_GROWTH_BYTES // 1024:,}"),
    ]
    result.totals["requests in the soak"] = counts.total()
    result.problems += [f"{what} ({times})" for what, times in counts.items() if what]
    if growth > MAX_GROWTH_BYTES:
        result.problems.append("memory is not flat")
    result.searched, result.secrets = watch.searched, watch.found
    result.seconds = time.monotonic() - started
    return result


def _asking(
    environ: dict[str, str], own: AccessKey, origin: str, now: Callable[[], datetime], watch: Watch
) -> Callable[[], stage.Reply]:
    environ |= {
        "CALLER_AUTH": "anonymous",
        "STS_ENDPOINT": origin,
        "STS_SESSION_SECONDS": str(SESSION_SECONDS),
        "ALIBABA_CLOUD_ACCESS_KEY_ID": own.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": own.access_key_secret,
        "ALIBABA_CLOUD_SECURITY_TOKEN": "",
    }
    function = stage.build(environ, now, sleep=lambda seconds: None)

    def ask() -> stage.Reply:
        reply = stage.ask(function, {"filename": "a.png"})
        watch.search(reply.text, "response")
        return reply

    return ask


def resident_bytes() -> int:
    """Memory of this process now; where the system does not tell, its peak."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
