"""Pretend business: takes posts, has their pictures published, and receives the webhook."""

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from local.business.posts import AlreadyPosted, Picture, Post, Posts
from local.business.receipts import ReceiptRefused, backend_token, verify, verify_delivery
from local.common.clock import Clock, utc_now
from local.common.outgoing import exchange

MOST_PICTURES = 9
LONGEST_TEXT = 500
AT_ONCE = 20
SECONDS = 30.0
ANSWER_BYTES = 2**20
# How often at most the function is asked what became of pictures.
ASKED_EVERY_SECONDS = 2.0
DELIVERIES_KEPT = 200
DECISIONS = ("publish", "reject")
# The state that each event of the webhook tells.
EVENTS = {name: name for name in ("published", "rejected", "review", "gone")} | {"expired": "gone"}


class Refused(Exception):
    """Raised for what this business does not take."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence = status, sentence


class Said(NamedTuple):
    """Response of the function: a status (0 for none) and a JSON object."""

    status: int
    value: dict[str, Any]


class Business:
    """
    Args:
        function: its origin.

        secrets: gives those that receipts are signed with; the first signs backend tokens.

        buckets: of which receipts have to be about one.

        now: the clock that receipts and deliveries are held to.
    """

    def __init__(
        self, function: str, secrets: Callable[[], Sequence[str]], *buckets: str, now: Clock = utc_now
    ) -> None:
        self.posts = Posts()
        self._function = function
        self._secrets = secrets
        self._buckets = frozenset(buckets)
        self._asked_at = float("-inf")
        self._now = now
        self._deliveries: dict[str, dict[str, Any]] = {}
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Forget every post and delivery."""
        with self._lock:
            self.posts = Posts()
            self._deliveries.clear()

    def publish(self, text: Any, receipts: Any) -> dict[str, Any]:
        """
        Take a post and have its pictures committed.

        Raises:
            Refused: no post, or pictures that it may not have.
        """
        if not isinstance(text, str) or len(text) > LONGEST_TEXT:
            raise Refused(400, f"text is a text of at most {LONGEST_TEXT} characters.")
        if not isinstance(receipts, list) or not 1 <= len(receipts) <= MOST_PICTURES:
            raise Refused(400, f"receipts is a list of 1 to {MOST_PICTURES}.")
        all_claims = [self._held_claims(receipt) for receipt in receipts]
        if len({claims["sub"] for claims in all_claims}) > 1:
            raise Refused(403, "The pictures of one post are one user's.")
        pictures = [
            Picture(receipt, claims["jti"], claims["key"])
            for receipt, claims in zip(receipts, all_claims, strict=True)
        ]
        try:
            post = self.posts.add(Post(text, pictures))
        except AlreadyPosted:
            raise Refused(409, "A picture is in one post, once.") from None
        # Where this fails the pictures stay held, and whoever looks at the posts next has it tried again.
        self._ask_about([picture for picture in post.pictures if picture.state == "held"], "/commit")
        return post.told()

    def told(self) -> list[dict[str, Any]]:
        """Every post, newest first; for a webhook may get lost, the function is asked as well."""
        if time.monotonic() - self._asked_at >= ASKED_EVERY_SECONDS:
            self._asked_at = time.monotonic()
            pictures = self.posts.unsettled()
            self._ask_about([picture for picture in pictures if picture.state == "held"], "/commit")
            self._ask_about([picture for picture in pictures if picture.state != "held"], "/status")
        return self.posts.told()

    def receive(self, headers: Mapping[str, str], body: bytes, given: Mapping[str, Any]) -> None:
        """
        Take a delivery of the function's webhook, and do the work once for each ``webhook-id``.

        Args:
            given: what the body says.

        Raises:
            Refused: it is not signed, or as ``hear``.
        """
        try:
            id = verify_delivery(headers, body, self._secrets(), self._now())
        except ReceiptRefused as error:
            raise Refused(401, str(error)) from None
        event = given.get("event")
        with self._lock:
            is_known = id in self._deliveries
        # A revocation is about a user, not about a picture.
        if not is_known and event != "revoked":
            self.hear(event, given.get("receipt"), given.get("label"))
        with self._lock:
            delivery = self._deliveries.pop(id, {"id": id, "event": event, "times": 0})
            self._deliveries[id] = {**delivery, "times": delivery["times"] + 1, "at": self._now().isoformat()}
            for old in [*self._deliveries][:-DELIVERIES_KEPT]:
                del self._deliveries[old]

    def deliveries(self) -> list[dict[str, Any]]:
        """Deliveries of the webhook, latest first, with how many times each came."""
        with self._lock:
            return [*reversed(self._deliveries.values())]

    def hear(self, event: Any, receipt: Any, label: Any = None) -> None:
        """
        Take in one event of the function's webhook.

        Raises:
            Refused: without a receipt that can be verified, anybody could have sent it.
        """
        claims = self._claims(receipt)
        said: dict[str, Any] = {} if type(label) is not int else {"label": label}
        if event in EVENTS:
            said["state"] = EVENTS[event]
        self.posts.hear(claims["jti"], said)

    def decide(self, receipt: Any, decision: Any) -> Said:
        """
        Decide about a held picture, as a person of the business.

        Args:
            decision: ``publish`` or ``reject``.

        Raises:
            Refused: as ``hear``, or another decision.
        """
        if decision not in DECISIONS:
            raise Refused(400, f"decision is one of {', '.join(DECISIONS)}.")
        return self._ask_for_one(receipt, "/commit", {"decision": decision})

    def commit(self, receipt: Any) -> Said:
        """The next step of one picture, without a post."""
        return self._ask_for_one(receipt, "/commit", {})

    def discard(self, receipt: Any) -> Said:
        """Take a picture back, published or not."""
        return self._ask_for_one(receipt, "/discard", {})

    def _ask_for_one(self, receipt: Any, route: str, more: Mapping[str, str]) -> Said:
        claims = self._claims(receipt)
        said = self._ask(route, {"receipt": receipt, **more})
        if said.status == 200:
            self.posts.hear(claims["jti"], said.value)
        return said

    def _ask_about(self, pictures: Sequence[Picture], route: str) -> None:
        for first in range(0, len(pictures), AT_ONCE):
            some = pictures[first : first + AT_ONCE]
            said = self._ask(route, {"receipts": [picture.receipt for picture in some]})
            results = said.value.get("results", []) if said.status == 200 else []
            for picture, result in zip(some, results, strict=False):
                self.posts.hear(picture.upload_id, _state_of(result))

    def _ask(self, route: str, body: Mapping[str, Any]) -> Said:
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {backend_token(self._secrets()[0], self._now())}",
        }
        sent = json.dumps(body).encode()
        answer = exchange(self._function + route, SECONDS, ANSWER_BYTES, sent, headers)
        try:
            value = json.loads(answer.body) if answer else None
        except ValueError:
            value = None
        return Said(answer.status if answer else 0, value if isinstance(value, dict) else {})

    def _held_claims(self, receipt: Any) -> dict[str, Any]:
        claims = self._claims(receipt)
        if claims.get("held") is not True:
            raise Refused(403, "A post has only pictures that were held until it came.")
        return claims

    def _claims(self, receipt: Any) -> dict[str, Any]:
        if not isinstance(receipt, str):
            raise Refused(400, "A receipt is a text.")
        try:
            return verify(receipt, self._secrets(), self._buckets, self._now())
        except ReceiptRefused as error:
            raise Refused(403, str(error)) from None


def _state_of(result: Mapping[str, Any]) -> Mapping[str, Any]:
    """An entry of ``results``: of what the function does not find there is nothing any more."""
    error = result.get("error")
    is_gone = isinstance(error, Mapping) and error.get("code") == "not_uploaded"
    return {"state": "gone"} if is_gone else result
