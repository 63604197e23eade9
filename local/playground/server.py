"""
The playground page of the local cloud: its files, the addresses and profiles that it needs, and what it may
do to the cloud behind it: plan a fault, let time pass.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.buckets import bucket_of
from local.common.http_server import FAULT_BYTES, Handler
from local.common.reach import HERE_ONLY, Reach
from local.common.service import Service
from local.oss.handler import MOST_DAYS
from local.oss.posting import POST_OBJECT
from local.oss.server import OssServer

MOST_MINUTES = 24 * 60
Action = Callable[[Mapping[str, Any]], object]
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ts": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".webp": "image/webp",
}


class PlaygroundServer(Service):
    """
    Serve ``/`` from one folder, ``/client/`` from another, ``/config.json`` and
    ``/signed.json?key=...&bucket=...``.

    ``POST`` of a JSON object to ``/fault.json``, ``/minutes.json`` or ``/days.json`` acts on the cloud behind
    the page; a phone may ask that of no emulator itself.

    Args:
        config: called for each ``/config.json``; its answer is what the page gets as JSON.

        signed_url: the URL under which the page can show the object of a key in a bucket; an empty one is
            any that has it.

        actions: by path, what a POST does, given the object of its body.
    """

    def __init__(
        self,
        page_folder: Path,
        client_folder: Path,
        config: Callable[[], dict[str, Any]],
        signed_url: Callable[[str, str], str],
        actions: Mapping[str, Action],
        port: int = 0,
        reach: Reach = HERE_ONLY,
    ) -> None:
        self.config = config
        self.signed_url = signed_url
        self.actions = actions
        self._page_folder = page_folder
        self._client_folder = client_folder
        super().__init__(partial(_Handler, self), port, reach)

    def find(self, path: str) -> Path | None:
        """The file behind a request path, or ``None``: nothing outside the two folders is ever found."""
        name = unquote(path)
        folder = self._page_folder
        if name.startswith("/client/"):
            folder, name = self._client_folder, name.removeprefix("/client")
        parts = (name + "index.html" if name.endswith("/") else name).split("/")[1:]
        if any(part in ("", ".", "..") or part.startswith(".") or set(part) & set("\\:\0") for part in parts):
            return None
        # Resolved, so that a symbolic link cannot lead out either.
        file = folder.joinpath(*parts).resolve()
        return file if file.is_relative_to(folder.resolve()) and file.is_file() else None


class _Handler(Handler):
    def __init__(self, playground: PlaygroundServer, *connection: Any) -> None:
        self._playground = playground
        super().__init__(*connection)

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/config.json":
            self.answer_json(200, self._playground.config(), Cache_Control="no-store")
            return
        if path == "/signed.json":  # readable by the page alone: no CORS header lets another origin in
            asked = dict(parse_qsl(query))
            url = self._playground.signed_url(asked.get("key", ""), asked.get("bucket", ""))
            self.answer_json(200, {"url": url}, Cache_Control="no-store")
            return
        file = self._playground.find(path)
        if file is None:
            self.answer(404, b"There is no such file in the playground.\n", "text/plain; charset=utf-8")
            return
        content_type = CONTENT_TYPES.get(file.suffix.lower(), "application/octet-stream")
        self.answer(
            200, file.read_bytes(), content_type, Cache_Control="no-store", X_Content_Type_Options="nosniff"
        )

    do_HEAD = do_GET

    def do_POST(self) -> None:
        action = self._playground.actions.get(self.path)
        if action is None or self.is_of_foreign_page():
            self.turn_away(403, "This is done by the playground's own page only.")
            return
        body = self.read_body(FAULT_BYTES)
        if body is None:
            return
        try:
            action(json.loads(body))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            self.answer_json(400, {"error": f"There is no such thing to do at {self.path}."})
            return
        self.answer_json(200, {})


def told_profiles(profiles: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """
    Args:
        profiles: as their file has them.

    Returns:
        Those that the page can show: it shows a form, and where the bytes are there already, there is none.
    """
    return [_told(name, profile) for name, profile in profiles.items() if "{sha256}" not in profile["key"]]


def _told(name: str, profile: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "title": profile.get("title", ""),
        "maxSize": profile["max_size"],
        # A page of the sample servers sends no type.
        "contentTypes": profile.get("content_types", ["*/*"]),
        "callback": profile.get("callback", False),
        "confirm": profile.get("confirm", False),
        "read": profile.get("read", ""),
        "parts": profile.get("parts", False),
        "hold": profile.get("hold", []),
        "bucket": bucket_of(profile),
        "callers": profile.get("callers", []),
        "variants": list(profile.get("variants", ())),
        # Pages of Alibaba's sample servers only: their answer has another shape.
        "classic": profile["key"].endswith("{filename}"),
    }


def actions_of(
    stores: Sequence[OssServer],
    let_minutes_pass: Callable[[int], object],
) -> dict[str, Action]:
    """
    By path. Each raises ``ValueError``, ``TypeError`` or ``KeyError`` for what it cannot do.

    Args:
        stores: the local OSS of each bucket; the first is meant where nothing is said of one.

        let_minutes_pass: moves the clocks, with a tick of the timer in each minute.
    """
    by_bucket = {store.bucket.name: store for store in stores}

    def plan_fault(wanted: Mapping[str, Any]) -> None:
        """For a form, once, and then all is well again: a phone may have the page."""
        store = by_bucket[wanted.get("bucket", stores[0].bucket.name)]
        store.faults.plan(wanted["kind"], times=1, on=[POST_OBJECT])

    def let_days_pass(wanted: Mapping[str, Any]) -> None:
        """As the lifecycle rules see it: no clock moves."""
        days = wanted["days"]
        if type(days) is not int or not 1 <= days <= MOST_DAYS:
            raise ValueError(days)
        for store in stores:
            store.bucket.let_days_pass(days)

    def let_time_pass(wanted: Mapping[str, Any]) -> None:
        minutes = wanted["minutes"]
        if type(minutes) is not int or not 1 <= minutes <= MOST_MINUTES:
            raise ValueError(minutes)
        let_minutes_pass(minutes)

    return {
        "/minutes.json": let_time_pass,
        "/fault.json": plan_fault,
        "/days.json": let_days_pass,
    }
