"""
Held objects: a thousand committed in batches of twenty, what a verdict takes until its object is there, and
how long a commit takes that waits for Content Moderation.

``python -m quality.bench.holding``: the function, the local OSS and STS in one process, calls over loopback.
What the function spends by itself is what is left without its calls.
"""

import argparse
import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

from function.app import Function
from function.holding.check import apply_verdict
from function.http.client import HttpResponse, send
from function.moderation.finding import Outcome
from function.moderation.wechat_verdict import Verdict
from local.cloud import ROLE_POLICY
from local.common.accounts import AccessKey, Accounts
from local.green.server import GreenServer
from local.oss.server import OssServer
from local.sts.server import StsServer
from ops.run.picture import draw_png
from quality.bench.figures import summary
from tests.support import stage
from tests.support.world import HELD, World

BUCKET, REGION = "local-bucket", "cn-hangzhou"
OBJECTS, BATCH, VERDICTS, CHECKS = 1000, 20, 100, 100
# Of the pretended Content Moderation, beside the download.
LATENCY_SECONDS = 0.8
PROFILES = """
[commit]
key = "commits/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/png"]
confirm = true
hold = ["commit"]
[check]
key = "checks/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/png"]
confirm = true
hold = ["check"]
[aliyun]
key = "moderated/{owner}/{id}{ext}"
max_size = "1MiB"
content_types = ["image/png"]
confirm = true
hold = ["commit", "check"]
check_by = ["aliyun"]
"""
PICTURE = draw_png(64, 64)


class Deployment(World):
    """
    The function before a local OSS, STS and Content Moderation, and a WeChat in memory.

    Attributes:
        calls: how many were made to OSS since the last ``reset``, and how many seconds they took.
    """

    def __init__(
        self, oss: OssServer, sts: StsServer, green: GreenServer, own: AccessKey, profiles: Path
    ) -> None:
        self.reset()
        environ = {
            **HELD,
            "OSS_BUCKET": BUCKET,
            "OSS_HOST": oss.origin,
            "STS_ENDPOINT": sts.origin,
            "GREEN_ENDPOINT": green.origin,
            "ALIBABA_CLOUD_ACCESS_KEY_ID": own.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": own.access_key_secret,
            "PROFILES_FILE": str(profiles),
        }
        super().__init__(environ, lambda: datetime.now(UTC).replace(microsecond=0))

    def new_instance(self) -> Function:
        return Function(stage.Dependencies(self.environ, now=lambda: datetime.now(UTC), send=self.exchange))

    def reset(self) -> None:
        self.calls, self.seconds = 0, 0.0

    def exchange(self, method: str, url: str, **options: Any) -> HttpResponse:
        if "api.weixin.qq.com" in url:
            return super().exchange(method, url, **options)
        started = time.perf_counter()
        try:
            return send(method, url, **options)
        finally:
            self.calls += 1
            self.seconds += time.perf_counter() - started

    def result(self, route: str, token: str = "", **body: Any) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        reply = stage.ask(self.function, body, path=f"/{route}", **headers)
        if reply.status != 200:
            raise SystemExit(f"/{route}: {reply.text}")
        return reply.json

    def store_many(self, profile: str, count: int) -> list[str]:
        """So many objects of this profile: their receipts."""
        session = self.session()
        receipts = []
        with requests.Session() as phone:
            phone.trust_env = False
            for _ in range(0, count, BATCH):
                files = [{"profile": profile, "filename": "a.png"}] * BATCH
                for form in self.result("upload-params", session, files=files)["uploads"]:
                    sent = phone.post(
                        form["url"], data=form["formData"], files={"file": ("a.png", PICTURE)}, timeout=10
                    )
                    if sent.status_code != 200:
                        raise SystemExit(sent.text)
                    receipts.append(self.result("confirm", ticket=form["ticket"])["receipt"])
        return receipts

    def commit_all(self, receipts: list[str]) -> None:
        """All of them, in batches."""
        for first in range(0, len(receipts), BATCH):
            told = self.result("commit", self.backend(), receipts=receipts[first : first + BATCH])
            states = {result.get("state") for result in told["results"]}
            if states != {"published"}:
                raise SystemExit(json.dumps(told))

    def commit_each(self, receipts: list[str]) -> tuple[list[float], list[int]]:
        """One call for each: the milliseconds until it was published, and the calls that it made."""
        took, calls = [], []
        for receipt in receipts:
            self.reset()
            started = time.perf_counter()
            told = self.result("commit", self.backend(), receipt=receipt)
            took.append((time.perf_counter() - started) * 1000)
            calls.append(self.calls)
            if told.get("state") != "published":
                raise SystemExit(json.dumps(told))
        return took, calls

    def publish(self, trace_id: str) -> None:
        """What the push of one verified verdict does."""
        call = self.call()
        apply_verdict(call, Verdict(trace_id, Outcome.PASS))
        if call.line.state != "published":
            raise SystemExit(f"{trace_id}: {call.line.state}")


@contextmanager
def deployed() -> Iterator[Deployment]:
    own = AccessKey("LOCAL-BENCH-KEY", "local-bench-secret-that-opens-nothing")
    accounts = Accounts(own)
    with TemporaryDirectory() as folder:
        profiles = Path(folder) / "profiles.toml"
        profiles.write_text(PROFILES, "utf-8")
        oss = OssServer(accounts, BUCKET, REGION, Path(folder) / "objects")
        sts = StsServer(accounts, stage.ROLE, ROLE_POLICY)
        green = GreenServer(accounts)
        green.delay = LATENCY_SECONDS
        servers = (oss, sts, green)
        for server in servers:
            server.start()
        try:
            yield Deployment(*servers, own, profiles)
        finally:
            for server in servers:
                server.stop()


def measure(objects: int, verdicts: int, checks: int, progress: Callable[[str], None]) -> dict[str, Any]:
    """
    Returns:
        ``commits``: seconds in all, and of each object the milliseconds, the function's own, and the calls
        to OSS; ``verdicts``: the same of one verdict, as ``summary`` has it; ``checks``: the milliseconds of
        each commit that waits for Content Moderation, and its calls, that to the checker among them.
    """
    with deployed() as here:
        progress(f"{objects:,} objects are stored")
        receipts = here.store_many("commit", objects)
        progress(f"committing them in batches of {BATCH}")
        here.reset()
        started = time.perf_counter()
        here.commit_all(receipts)
        seconds = time.perf_counter() - started
        commits = {
            "objects": objects,
            "seconds": seconds,
            "ms": seconds / objects * 1000,
            "own_ms": (seconds - here.seconds) / objects * 1000,
            "calls": here.calls / objects,
        }
        progress(f"{verdicts} verdicts")
        here.store_many("check", verdicts)
        whole, own, calls = [], [], []
        for trace_id in list(here.wechat.submitted):
            here.reset()
            started = time.perf_counter()
            here.publish(trace_id)
            took = time.perf_counter() - started
            whole.append(took * 1000)
            own.append((took - here.seconds) * 1000)
            calls.append(here.calls)
        progress(f"{checks} commits that wait for Content Moderation")
        waited, asked = here.commit_each(here.store_many("aliyun", checks)[:checks])
    told = {"count": len(whole), "calls": statistics.median(calls)}
    return {
        "commits": commits,
        "verdicts": {**told, "ms": summary(whole), "own_ms": summary(own)},
        "checks": {"ms": waited, "calls": statistics.median(asked)},
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m quality.bench.holding", description=__doc__)
    parser.add_argument("--objects", type=int, default=OBJECTS, help=f"to commit ({OBJECTS:,})")
    parser.add_argument("--verdicts", type=int, default=VERDICTS, help=f"to carry out ({VERDICTS})")
    parser.add_argument("--checks", type=int, default=CHECKS, help=f"by Content Moderation ({CHECKS})")
    args = parser.parse_args(arguments)
    logging.getLogger("oss_direct_upload").addHandler(logging.FileHandler(os.devnull))
    logging.getLogger("oss_direct_upload").propagate = False
    found = measure(
        args.objects, args.verdicts, args.checks, lambda text: print(f"  {text}", file=sys.stderr, flush=True)
    )
    commits, verdicts = found["commits"], found["verdicts"]
    print(
        f"{commits['objects']:,} objects committed, {BATCH} a call: {commits['seconds']:.1f} s;"
        f" each {commits['ms']:.1f} ms with {commits['calls']:.0f} calls to OSS,"
        f" {commits['own_ms']:.2f} ms of it the function's own"
    )
    whole, own = verdicts["ms"]["median"], verdicts["own_ms"]["median"]
    print(
        f"a verdict to the published object: {whole:.1f} ms with {verdicts['calls']:.0f} calls to OSS,"
        f" {own:.2f} ms of it the function's own"
    )
    waited, asked = found["checks"]["ms"], found["checks"]["calls"]
    middle, most = statistics.median(waited), statistics.quantiles(waited, n=20)[-1]
    print(
        f"a commit to published, Content Moderation taking {LATENCY_SECONDS * 1000:.0f} ms:"
        f" median {middle:.0f} ms, p95 {most:.0f} ms with {asked:.0f} calls"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
