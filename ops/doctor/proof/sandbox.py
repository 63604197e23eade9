"""Sandbox in the bucket of the user: small objects below one folder, all removed again."""

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests

from function.config.profile import ACL_FIELD, CHECK_URL_LIFE
from function.config.settings import Settings
from function.errors import UploadError
from function.http.client import HttpResponse
from function.oss.client import OssClient
from function.oss.post_form import Credentials
from function.oss.presign import OssRequest, authorize, presign, request_url
from function.oss.versions import VERSIONS, Markers, delete_version, list_entries
from function.sts.assume_role import StsClient
from function.sts.credentials import AccessKeys, StsCredentials
from function.sts.session_policy import Grant, policy_of
from ops.client.form_upload import open_session
from ops.doctor.evidence import NotTried, accepted, evidence, reason_of
from ops.doctor.identity import sts_remedy
from ops.doctor.places import trial_folder

TIMEOUT_SECONDS = 30
FORM_LIFE, URL_LIFE = timedelta(minutes=5), timedelta(minutes=1)
STS_ATTEMPTS = 2
DOT = b"."
# Nobody reads it without a signature, whatever the bucket's own ACL.
STORED_AS = {"content-type": "text/plain", ACL_FIELD: "private"}


class OwnKeys(NamedTuple):
    """The operator's keys as what signs; a long-lived pair has an empty token."""

    access_key_id: str
    access_key_secret: str
    security_token: str

    def __repr__(self) -> str:
        return f"OwnKeys({self.access_key_id})"


class Sandbox:
    """
    One run.

    Args:
        now: when it begins, timezone-aware UTC.
        function_url: of the deployed function; empty where nobody knows it.
        sleep: waits so many seconds.
        monotonic: the time of signatures goes on with it.

    Attributes:
        folder: everything is stored below it.
        keys_left, uploads_left: objects and unfinished uploads that are still to be removed.
        verdicts_left: records of the function about checks of this run; they may come late.
        removed: how many objects are gone again.
        openid: of a user whom WeChat has just seen; empty where nobody named one.
        calls, sent_bytes: how many requests were sent, and how many bytes in their bodies.
    """

    def __init__(
        self,
        settings: Settings,
        keys: AccessKeys,
        now: datetime,
        function_url: str = "",
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings, self.sleep = settings, sleep
        self._monotonic, self._offset = monotonic, now - timedelta(seconds=monotonic())
        self.folder = trial_folder(settings)
        self.function_url = function_url
        self.own_keys = keys
        self.keys: Credentials = OwnKeys(*keys[:2], keys.security_token or "")
        self.keys_left: list[str] = []
        self.uploads_left: list[tuple[str, str]] = []
        self.verdicts_left: list[str] = []
        self.calls = self.sent_bytes = self.removed = 0
        self.openid = ""
        self._connections: dict[str, requests.Session] = {}
        self._keeps_versions = False

    @property
    def now(self) -> datetime:
        return self._offset + timedelta(seconds=self._monotonic())

    def new_key(self, key: str = "") -> str:
        """A key of this run, which is removed at its end; a random one by default."""
        key = key or f"{self.folder}{secrets.token_hex(8)}"
        self.keys_left.append(key)
        return key

    def new_folder(self) -> str:
        return f"{self.folder}{secrets.token_hex(8)}/"

    def call(
        self,
        method: str,
        key: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        by: Credentials | None = None,
    ) -> requests.Response:
        """A request signed in its headers, by the operator's keys unless others are named."""
        request = self._request(method, key, query, headers)
        signed = authorize(request, by or self.keys, self.now)
        return self.send(method, request_url(request, self.settings.host), signed, body)

    def url(
        self,
        method: str,
        key: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        additional: tuple[str, ...] = (),
        at: datetime | None = None,
        origin: str = "",
        by: Credentials | None = None,
        life: timedelta = URL_LIFE,
    ) -> str:
        """A signed URL."""
        request = self._request(method, key, query, headers)._replace(additional=additional)
        origin = origin or self.settings.host
        return presign(request, by or self.keys, at or self.now, origin=origin, expires_in=life)

    def url_for_checkers(self, key: str, by: Credentials) -> str:
        """A URL as the function has an object opened by a checker."""
        return self.url("GET", key, origin=self.settings.read_origin, by=by, life=CHECK_URL_LIFE)

    def send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> requests.Response:
        """Raises NotTried, requests.RequestException: as ``exchange``."""
        self.count(body)
        return self.exchange(method, url, headers=headers, data=body)

    def exchange(self, method: str, url: str, **options: Any) -> requests.Response:
        """
        Send a request over the connection to its origin, which stays open.

        Raises:
            NotTried: the service fails, which answers no question.
            requests.RequestException: no answer.
        """
        origin = urlsplit(url).netloc
        if origin not in self._connections:
            self._connections[origin] = open_session(url)
        answer = self._connections[origin].request(
            method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options
        )
        if answer.status_code >= 500:
            raise NotTried(evidence(answer))
        return answer

    def put(self, headers: Mapping[str, str] | None = None, body: bytes = DOT, key: str = "") -> str:
        """
        A new object, private and of one byte by default; its key.

        Raises:
            NotTried: the keys may not.
        """
        key = self.new_key(key)
        accepted(self.call("PUT", key, headers={**STORED_AS, **(headers or {})}, body=body))
        return key

    def client(self, by: Credentials | None = None) -> OssClient:
        """Return a client of the function's own code, for what it relies on."""

        def send(
            method: str, url: str, *, headers: Mapping[str, str], body: bytes | None, **_: object
        ) -> HttpResponse:
            answer = self.send(method, url, headers, body or b"")
            lower = {name.lower(): value for name, value in answer.headers.items()}
            return HttpResponse(answer.status_code, answer.content, lower)

        place = self.settings.bucket, self.settings.region, self.settings.host
        return OssClient(*place, by or self.keys, self.now, send, lambda: float(TIMEOUT_SECONDS))

    def count(self, *bodies: str | bytes) -> None:
        """Count a request with these bodies."""
        self.calls += 1
        self.sent_bytes += sum(map(len, bodies))

    def session(self, *actions: str, folder: str = "", refused_acls: tuple[str, ...] = ()) -> StsCredentials:
        """
        The upload role, narrowed by the function's own policy to these actions on a folder.

        Raises:
            NotTried: STS does not give it.
        """
        grant = Grant(actions, (folder or self.folder,), refused_acls)
        return self.assume(policy_of(self.settings.bucket, [grant]), self.settings.session_life)

    def assume(self, policy: str, life: timedelta) -> StsCredentials:
        place = self.settings.sts_endpoint, self.settings.region, self.settings.role_arn
        client = StsClient(*place, session_life=life, sleep=lambda _seconds: None)
        self.calls += 1
        try:
            return client.assume_role(policy, self.own_keys, self.now, attempts=STS_ATTEMPTS)
        except UploadError as error:
            raise NotTried(reason_of(error), sts_remedy(error)) from None

    def remove(self) -> list[str]:
        """Remove all that is left of this run, and close its connections; return the keys of what stays."""
        self.keys_left += self.verdicts_left
        self.verdicts_left = []
        left = self.tidy()
        for connection in self._connections.values():
            connection.close()
        self._connections = {}
        return left

    def tidy(self) -> list[str]:
        """Remove what was stored up to now, verdicts left out; return the keys of what could not be."""
        uploads = self.uploads_left
        self.uploads_left = [one for one in uploads if not self._is_gone(one[0], {"uploadId": one[1]})]
        tried = {key: self._is_gone(key, {}) for key in self.keys_left}
        self.keys_left = [key for key, is_gone in tried.items() if not is_gone]
        if self._keeps_versions:
            try:
                self._delete_versions(set(tried))
            except (NotTried, UploadError, requests.RequestException):
                self.keys_left = [*tried]
        self.removed += len(tried) - len(self.keys_left)
        return [*dict.fromkeys([*self.keys_left, *(key for key, _ in self.uploads_left)])]

    def _delete_versions(self, keys: set[str]) -> None:
        """Delete all versions and delete markers of keys, of which most are below the folder."""
        oss = self.client()
        for prefix in {self.folder if key.startswith(self.folder) else key for key in keys}:
            after: Markers | None = Markers()
            while after is not None:
                entries, after = list_entries(oss, VERSIONS, prefix, after)
                for entry in (one for one in entries if one.key in keys):
                    delete_version(oss, entry)

    def _is_gone(self, key: str, query: Mapping[str, str]) -> bool:
        try:
            answer = self.call("DELETE", key, query=query)
        except (NotTried, requests.RequestException):
            return False
        self._keeps_versions |= "x-oss-delete-marker" in answer.headers
        return answer.status_code in (204, 404)

    def _request(
        self, method: str, key: str, query: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> OssRequest:
        return OssRequest(method, self.settings.bucket, self.settings.region, key, query or {}, headers or {})
