"""The cloud of a scenario, which can go back to any earlier moment, and what its actors call of it."""

import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import jwt

from function.http.client import ExchangeFailed, HttpResponse
from function.limits.memory import MemoryStore
from function.limits.quota import QuotaLimiter
from function.request_log import log
from quality.explore.callback import KEY_HOST, PATH, PUBLIC_KEY
from quality.explore.calls import Call, footprint_of
from quality.explore.model import NOWHERE, Event, Places
from quality.explore.photo import BYTES, DOUBTFUL, OTHERS, etag_of, original_of
from tests.support.memory_oss import CLEAN, LATE, Snapshot, Stored, document
from tests.support.memory_oss import HELD as HELD_OBJECTS
from tests.support.wechat import CHECK, key_of
from tests.support.world import HELD, WEBHOOK, World

START = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
RECORDS = "held/."
ALIYUN = "aliyun"
ENVIRONMENT = {
    **HELD,
    "UPLOAD_WEBHOOK_URL": WEBHOOK,
    "QUOTA_URL": "memory:",
    "CALLBACK_URL": f"https://function.example{PATH}",
    "RECEIPT_SECRET": "a-receipt-secret-of-the-explorer-alone-1",
    "PROFILES_FILE": str(Path(__file__).with_name("profiles.toml")),
}
# What Aliyun says of each.
FINDS = {BYTES: "pass", OTHERS: "risky", DOUBTFUL: "review"}
# A copy that was given up may end as long as this after its request began.
COPY_ENDS = timedelta(seconds=90)
# Headers that matter of what is stored; the others say when and by whom it was signed.
KEPT = ("content-type", "x-oss-meta-rules", "x-oss-meta-upload-id", "x-oss-storage-class")


class Moment(NamedTuple):
    """
    Everything in the cloud at one moment; there is one of those that nothing can tell apart.

    Args:
        submitted: trace ids and addresses that WeChat got; ``paid``: how often Aliyun was asked.
        late_until: when the last late copy is over, at the latest.
        places: where the bytes of each upload are; ``counted``: files that the quota has counted.
    """

    oss: Snapshot
    instant: datetime
    submitted: tuple[tuple[str, str], ...]
    used: tuple[Any, ...]
    paid: int
    late_until: datetime | None
    places: Places
    counted: int


class Cloud(World):
    """
    One bucket, WeChat, the business and a quota; every call of an actor goes through its ``hands``.

    Attributes:
        hands: of the actor that runs now; without, calls are made as they come.
        lost: events whose loss was logged since this was last looked at.
    """

    def __init__(self, **environ: str) -> None:
        self.instant = START
        self.hands: Any = None
        self.lost: list[tuple[str, str]] = []
        self.paid = 0
        self._noted: list[Event] = []
        self.renew_randomness(0)
        super().__init__(
            {**ENVIRONMENT, **environ},
            lambda: self.instant,
            life=timedelta(hours=12),
            random_bytes=lambda size: next(self._numbers).to_bytes(size),
        )
        self.others[KEY_HOST] = lambda *_, **__: HttpResponse(200, PUBLIC_KEY)
        self.quota = MemoryStore(timedelta(hours=8))
        self._tokens: dict[int, tuple[Stored, int]] = {}
        self._claims: dict[str, dict[str, Any]] = {}
        self._moments: dict[int, Moment] = {}
        self._instance = self.function.ready()
        self._remember_who_is_let_in()
        self.monotonic = lambda: 0.0
        self.renew()
        log.handlers[:] = [_Losses(self.lost)]
        log.propagate = False
        log.setLevel(logging.ERROR)

    def renew_randomness(self, number: int) -> None:
        """Random bytes of the actor of this number, from their beginning."""
        self._numbers = count(1 + number * 1_000_000)

    def renew(self) -> None:
        """Another instance: it remembers nothing."""
        self._instance._singletons.clear()
        limiter = QuotaLimiter(lambda: _Quota(self), True, self._instance.new_id)
        self._instance.limiter = limiter

    def _remember_who_is_let_in(self) -> None:
        """Check the signature of a request once; the same one comes in many orders."""
        let_in, known = self.oss._let_in, set[object]()

        def remembering(request: Any, name: str) -> None:
            key = (name, request.key, *request.query.items(), *request.headers.items(), self.instant)
            if key not in known:
                let_in(request, name)
                known.add(key)

        self.oss._let_in = remembering  # type: ignore[method-assign]

    # --- going back ---

    def moment(self, late_until: datetime | None = None) -> Moment:
        used = (tuple(self.quota._used.items()), tuple(self.quota._counted.items()))
        submitted = tuple(self.wechat.submitted.items())
        now = Moment(
            *(self.oss.snapshot(), self.instant, submitted, used, self.paid, late_until),
            *(self.places(), self.counted),
        )
        return self._moments.setdefault(hash(self.key_of(now)), now)

    def go_to(self, moment: Moment) -> None:
        self.oss.restore(moment.oss)
        self.instant, self.paid = moment.instant, moment.paid
        self.wechat.submitted = dict(moment.submitted)
        used, counted = moment.used
        self.quota._used, self.quota._counted = OrderedDict(used), OrderedDict(counted)
        for calls in (
            self.events,
            self.hosts,
            self.budgets,
            self.wechat.asked,
            self.wechat.checks,
            self.lost,
        ):
            calls.clear()

    def key_of(self, moment: Moment) -> object:
        """Equal for moments that nothing can tell apart."""
        oss = moment.oss
        return (
            frozenset((key, self._token(stored), oss.stored_at[key]) for key, stored in oss.objects.items()),
            tuple((id, one.key, one.begun_at, tuple(sorted(one.parts.items()))) for id, one in oss.uploads),
            oss.begun,
            frozenset((late.key, self._token(late.source)) for late in oss.under_way),
            moment.instant,
            moment.submitted,
            moment.used[0],
            frozenset(request for request, _ in moment.used[1]),
            moment.paid,
            moment.late_until,
        )

    def _token(self, stored: Stored) -> int:
        known = self._tokens.get(id(stored))
        if known is None or known[0] is not stored:
            kept = tuple(stored.headers.get(name) for name in KEPT)
            token = hash((stored.etag, stored.body, stored.acl, stored.kind, kept))
            known = self._tokens[id(stored)] = (stored, token)
        return known[1]

    # --- what is where ---

    def places(self) -> Places:
        """Where the bytes of each upload are, by upload id."""
        found: Places = {}
        for key, stored in self.oss.objects.items():
            if key.startswith(CLEAN):
                # Its name does not say of which upload.
                found[CLEAN] = NOWHERE._replace(copy=True)
            if key.startswith(RECORDS):
                continue
            id = _upload_id(key, stored.headers)
            place = found.get(id, NOWHERE)
            if key.startswith(HELD_OBJECTS):
                place = place._replace(held=stored.etag)
            else:
                etag, is_clean = _published(key, stored)
                place = place._replace(visible=etag, is_clean=place.is_clean and is_clean)
            found[id] = place._replace(is_whole=place.is_whole and _is_whole(stored))
        for upload in self.oss.uploads.values():
            id = _upload_id(upload.key, upload.headers)
            found[id] = found.get(id, NOWHERE)._replace(parts=True)
        return found

    def etag_sent(self, key: str) -> str:
        """The ETag of what was sent, of an object or of a clean copy of it; empty without one."""
        stored = self.oss.objects.get(key)
        is_copy = stored and key.startswith(CLEAN)
        return etag_of("clean", sent_as(key, stored)) if stored and is_copy else stored.etag if stored else ""

    @property
    def counted(self) -> int:
        """Files that the quota has counted."""
        return sum(files for _, files, _ in self.quota._used.values())

    def upload_of(self, receipt: str) -> str:
        """The upload id of a receipt."""
        return str(self.claims_of(receipt)["jti"])

    def claims_of(self, receipt: str) -> dict[str, Any]:
        if receipt not in self._claims:
            self._claims[receipt] = jwt.decode(receipt, options={"verify_signature": False})
        return self._claims[receipt]

    def heard(self) -> list[Event]:
        """What the business heard, and Aliyun saw, since this was last asked for."""
        heard = self._noted + [
            Event("told", self.upload_of(body["receipt"]), body["event"])
            for body in self.events
            if "receipt" in body
        ]
        self.events.clear()
        self._noted = []
        return heard

    # --- calls ---

    def exchange(self, method: str, url: str, **options: Any) -> HttpResponse:
        if self.hands is None:
            if str(urlsplit(url).hostname).startswith("green-cip."):
                answer: HttpResponse = self._call(method, url, options).do()
                return answer
            return super().exchange(method, url, **options)
        call = self._call(method, url, options)
        is_slow = call.name == "CopyObject" and self.hands.copies_slowly
        found: HttpResponse = self._copy_slowly(call) if is_slow else self.hands.call(call)
        return found

    def _copy_slowly(self, call: Call) -> HttpResponse:
        """Two calls: OSS takes the source; later the copy is there, and its response is heard."""

        def begin() -> HttpResponse:
            self.late(call)
            if self.oss.under_way:
                return document("CopyObject", f'<ETag>"{self.oss.under_way[-1].source.etag}"</ETag>')
            refusal: HttpResponse = call.do()
            return refusal

        heard: HttpResponse = self.hands.call(call._replace(name="begin a copy", do=begin))
        if heard.status == 200:
            is_over = lambda: not self.oss.under_way  # noqa: E731
            end = call._replace(name="end a copy", do=lambda: heard, identity=None, is_ready=is_over)
            heard = self.hands.call(end)
        return heard

    def _call(self, method: str, url: str, options: Mapping[str, Any]) -> Call:
        where = urlsplit(url)
        body, headers = options.get("body"), options.get("headers") or {}
        identity = (method, url, body, tuple(headers.items()))

        def do() -> HttpResponse:
            return World.exchange(self, method, url, **options)

        if where.hostname == urlsplit(WEBHOOK).hostname:
            return Call(
                "webhook", "webhook", str(json.loads(body or b"{}").get("event")), do, identity=identity
            )
        if str(where.hostname).startswith("green-cip."):
            return self._green_call(body or b"", do, identity)
        if where.hostname == KEY_HOST:
            return Call("keys", "public key", "", do, identity=identity)
        if where.hostname == "api.weixin.qq.com":
            name = where.path.rpartition("/")[2]
            writes = frozenset({"wechat"}) if name == CHECK else frozenset[str]()
            return Call("wechat", name, "", do, writes=writes, identity=identity)
        name, key = self.oss.name_of(method, url, headers), key_of(url)
        reads, writes = footprint_of(name, key, url, headers)
        return Call("oss", name, key, do, reads, writes, identity)

    def _green_call(self, body: bytes, do: Callable[[], Any], identity: object) -> Call:
        """Aliyun looks at a picture while it is asked."""
        parameters = json.loads(parse_qs(body.decode())["ServiceParameters"][0])
        key = key_of(parameters["imageUrl"])

        def look() -> Any:
            stored = self.oss.objects.get(key)
            sent = sent_as(key, stored) if stored else ""
            found = FINDS.get(sent, "risky")
            self.green.answers = [found]
            self.paid += 1
            if stored and found != "review":
                kind = "passed" if found == "pass" else found
                self._noted.append(Event(kind, parameters["dataId"], self.etag_sent(key), ALIYUN))
            return do()

        return Call("green", "ImageModeration", key, look, frozenset({key}), frozenset({"green"}), identity)

    def late(self, call: Call) -> None:
        """Begin a copy that ends later."""
        self.oss.fault_of_the_next(LATE)
        with suppress(ExchangeFailed):
            call.do()


class _Quota:
    """The quota's storage, far away."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def count(self, request: Any, now: datetime) -> Any:
        return self._do("count", request, lambda: self._cloud.quota.count(request, now))

    def give_back(self, request: Any, now: datetime) -> None:
        self._do("give back", request, lambda: self._cloud.quota.give_back(request, now))

    def open(self, _now: datetime) -> None:
        """Nothing to do."""

    def _do(self, name: str, request: Any, do: Callable[[], Any]) -> Any:
        from function.limits.quota import StoreDown

        # Rates alone are counted in each instance.
        if self._cloud.hands is None or not request.quotas:
            return do()
        call = Call("quota", name, request.owner, do, writes=frozenset({"quota"}), identity=(name, request))
        try:
            return self._cloud.hands.call(call)
        except ExchangeFailed:
            raise StoreDown("ConnectionResetError") from None


class _Losses(logging.Handler):
    def __init__(self, lost: list[tuple[str, str]]) -> None:
        super().__init__()
        self._lost = lost

    def emit(self, record: logging.LogRecord) -> None:
        line = json.loads(record.getMessage())
        if line.get("webhook") == "lost":
            self._lost.append((line["uploadId"], line["event"]))


def sent_as(key: str, stored: Stored) -> str:
    """The name of the bytes that were sent, of an object or of a clean copy of it."""
    return original_of(stored.body)[0] if key.startswith(CLEAN) else stored.parts[0].name


def _upload_id(key: str, headers: Mapping[str, str]) -> str:
    """Of an object that was never held it stands in the name alone."""
    return headers.get("x-oss-meta-upload-id") or key.rpartition("/")[2].partition(".")[0]


def _published(key: str, stored: Stored) -> tuple[str, bool]:
    """The ETag of what was sent, and whether no more of it is seen than its profile shows."""
    if not key.startswith("clean"):
        return stored.etag, True
    name, is_clean = original_of(stored.body)
    return etag_of(key, name), is_clean


def _is_whole(stored: Stored) -> bool:
    """Whether these are all parts that a phone sends, each named after its number."""
    return stored.kind != "Multipart" or [part.name[-1] for part in stored.parts] == ["1", "2"]
