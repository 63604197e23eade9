"""
What is fuzzed of uploads in parts: any question about one, with any ticket, and any answers of OSS to it.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from function.http.client import ExchangeFailed, HttpResponse
from function.sts.credentials import StsCredentials
from function.uploads.tickets import MultipartTicket
from tests.support import stage
from tests.support.canaries import Watch
from tests.support.dice import Dice

PROFILES_FILE = Path(__file__).with_name("parted_profiles.toml")
ROUTES = ("multipart", "multipart-parts", "multipart-complete", "multipart-abort")
PART, SIZE, KEY, OSS_ID = 102_400, 204_801, "kept/public/a.mp4", "0004B9894A22E5B1888A1E29F823"
COUNT = 3
# What OSS might say, some of it in the wrong place.
DOCUMENTS = (
    b"<InitiateMultipartUploadResult><UploadId>0004</UploadId></InitiateMultipartUploadResult>",
    b'<ListPartsResult xmlns="http://x"><IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber>'
    b'<ETag>"A"</ETag><Size>102400</Size></Part><Part><PartNumber>2</PartNumber><ETag>"B"</ETag>'
    b"<Size>102400</Size></Part><Part><PartNumber>3</PartNumber><ETag>C</ETag><Size>1</Size></Part>"
    b"</ListPartsResult>",
    b"<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>",
    b"<CompleteMultipartUploadResult><ETag>E</ETag></CompleteMultipartUploadResult>",
    b"<Error><Code>NoSuchUpload</Code><Message>canary</Message></Error>",
    b"<Error><Code>InvalidPart</Code></Error>",
    b"<Error><Code>FileAlreadyExists</Code></Error>",
    b"",
)
STATUSES = (200, 200, 200, 204, 302, 403, 404, 409, 500, 999)
SEEDS = (bytes(40), bytes(range(120)), b"\x02" * 60, b"\x01\x00\x00\x01" * 20)


class PartsTarget:
    """A function with two sessions, and an OSS that says what the input says."""

    def __init__(self, watch: Watch, now: datetime) -> None:
        self.watch = watch
        self.now = now
        self.count = 0
        self.dice = Dice(b"")
        self.facts: dict[str, str] = {}
        changes = {"CALLER_AUTH": "anonymous", "PROFILES_FILE": str(PROFILES_FILE)}
        environ = {**stage.planted_environment(watch, ""), **changes}
        self.function = stage.build(environ, lambda: now, send=self._exchange)
        instance: Any = self.function.ready()
        held = StsCredentials("STS.Role", watch.plant("role"), "token", now + timedelta(hours=1))
        for cache in instance.credentials.values():
            cache.assume_role = lambda own, now, *, attempts: held
        self.settings = instance.settings

    def __call__(self, data: bytes) -> None:
        self.dice = dice = Dice(data)
        self.count += 1
        self.facts = {}
        route = dice.one_of(ROUTES)
        upload_id = f"{self.count:022}"
        body: dict[str, Any] = {"ticket": self._ticket(upload_id)}
        if route == "multipart":
            body = {"profile": "kept", "filename": "a.mp4", "size": dice.one_of((9, SIZE, dice.value()))}
            body["contentType"] = dice.one_of((None, "video/mp4", dice.value()))
        if dice.number(2):
            body["numbers"] = dice.one_of(([1], [3, 1], [dice.value()], [dice.number(9)] * 2, dice.value()))
        reply = stage.ask(self.function, body, path=f"/{route}")
        self.watch.search(reply.text, "response")
        if reply.status == 500:
            raise AssertionError(f"answered 500: {reply.text}")
        if reply.status == 200:
            self._check(route, upload_id, reply.json)

    def _ticket(self, upload_id: str) -> Any:
        end = self.now + self.settings.profiles["kept"].parts_within
        cut = (upload_id, OSS_ID, KEY, SIZE, PART, "video/mp4")
        content = MultipartTicket(*cut, "kept", "s", "public", None, None, self.now, end)
        ticket = content.issue(self.settings)
        spoilt = ticket[: self.dice.number(200)] + self.dice.text(9)
        return self.dice.one_of((ticket, ticket, ticket, ticket, spoilt, self.dice.value()))

    def _check(self, route: str, upload_id: str, answer: dict[str, Any]) -> None:
        if route == "multipart-complete":
            known = (self.facts.get("x-oss-meta-upload-id"), self.facts.get("content-length"))
            if known != (upload_id, str(SIZE)):
                raise AssertionError("a receipt for another object")
        for part in answer.get("parts", []):
            if not (part["number"] >= 1 and f"partNumber={part['number']}&" in part["url"]):
                raise AssertionError("a URL for another part")
            if route == "multipart-parts" and part["number"] > COUNT:
                raise AssertionError("a URL for a part that the file does not have")

    def _exchange(self, method: str, url: str, **_options: Any) -> HttpResponse:
        dice = self.dice
        if dice.number(8) == 7:
            raise ExchangeFailed("timeout")
        document = dice.one_of((*DOCUMENTS, dice.text(40).encode(errors="surrogateescape")))
        if method != "HEAD":
            return HttpResponse(dice.one_of(STATUSES), document, dict(self._odd_headers()))
        good = {
            "content-length": str(SIZE),
            "content-type": "video/mp4",
            "etag": '"E"',
            "last-modified": "Tue, 24 Nov 2026 14:00:01 GMT",
            "x-oss-meta-upload-id": f"{self.count:022}",
        }
        spoilt = {name: dice.one_of((value, value, value, dice.text(6))) for name, value in good.items()}
        self.facts = {**spoilt, **dict(self._odd_headers())}
        return HttpResponse(dice.one_of((200, 200, 200, *STATUSES)), b"", self.facts)

    def _odd_headers(self) -> Iterator[tuple[str, str]]:
        for name in ("x-oss-ec", "x-oss-err", "x-oss-request-id"):
            if self.dice.number(4) == 3:
                yield name, self.dice.text(12)
