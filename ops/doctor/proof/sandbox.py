"""Sandbox in the bucket of the user: small objects below one folder, all removed again."""

import secrets
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from function.config.profile import ACL_FIELD, CHECK_URL_LIFE
from function.config.settings import Settings
from function.errors import UploadError
from function.http.client import HttpResponse
from function.oss.client import OssClient
from function.oss.post_form import Credentials
from function.oss.presign import OssRequest, authorize, presign, request_url
from function.oss.versions import VERSIONS, Markers, delete_version, list_entries
from function.sts.credentials import AccessKeys, StsCredentials
from function.sts.session_policy import Grant, policy_of
from ops.client.form_upload import open_session
from ops.doctor.evidence import NotTried, accepted, evidence, reason_of
from ops.doctor.identity import STS_ATTEMPTS, sts_client, sts_remedy
from ops.doctor.places import trial_folder

TIMEOUT_SECONDS = 30
FORM_LIFE, URL_LIFE = timedelta(minutes=5), timedelta(minutes=1)
DOT = b"."
# Nobody reads it without a signature, whatever the bucket's own ACL.
STORED_AS = {"content-type": "text/plain", ACL_FIELD: "private"}


class Sandbox:
    """
    One run.

    Args:
        function_url: of the deployed function; empty where nobody knows it.
        sleep: waits so many seconds.

    Attributes:
        keys: those that sign; of a long-lived pair with an empty token.
        folder: everything is stored below it.
        keys_left, uploads_left: objects and unfinished uploads that are still to be removed.
        verdicts_left: records of the function about checks of this run; they may come late.
        removed: how many objects are gone again.
        openid: of a user whom WeChat has just seen; empty where nobody named one.
    """

    def __init__(
        self,
        settings: Settings,
        keys: AccessKeys,
        function_url: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.settings, self.own_keys, self.function_url, self.sleep = settings, keys, function_url, sleep
        self.keys: Credentials = StsCredentials(*keys[:2], keys.security_token or "", self.now)
        self.folder = trial_folder(settings)
        self.keys_left: list[str] = []
        self.uploads_left: list[tuple[str, str]] = []
        self.verdicts_left: list[str] = []
        self.removed, self.openid = 0, ""
        self._connection = open_session(settings.host)

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def new_key(self, key: str = "") -> str:
        """A key of this run, which is removed at its end; a random one by default."""
        key = key or f"{self.folder}{secrets.token_hex(8)}"
        self.keys_left.append(key)
        return key

    def new_folder(self) -> str:
        return f"{self.folder}{secrets.token_hex(8)}/"

    def call(
        self, method: str, key: str, *, body: bytes = b"", by: Credentials | None = None, **signed: Any
    ) -> requests.Response:
        """
        Send a request signed in its headers, by the operator's keys unless others are named.

        Args:
            signed: ``query`` and ``headers``.
        """
        request = OssRequest(method, self.settings.bucket, self.settings.region, key, **signed)
        headers = authorize(request, by or self.keys, self.now)
        return self.send(method, request_url(request, self.settings.host), headers, body)

    def url(
        self,
        method: str,
        key: str,
        *,
        at: datetime | None = None,
        origin: str = "",
        by: Credentials | None = None,
        life: timedelta = URL_LIFE,
        **signed: Any,
    ) -> str:
        """Sign a URL; ``signed`` are ``query``, ``headers`` and ``additional``."""
        request = OssRequest(method, self.settings.bucket, self.settings.region, key, **signed)
        origin = origin or self.settings.host
        return presign(request, by or self.keys, at or self.now, origin=origin, expires_in=life)

    def url_for_checkers(self, key: str, by: Credentials) -> str:
        """A URL as the function has an object opened by a checker."""
        return self.url("GET", key, origin=self.settings.read_origin, by=by, life=CHECK_URL_LIFE)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        **options: Any,
    ) -> requests.Response:
        """
        Send a request over a connection that stays open.

        Raises:
            NotTried: the service fails, which answers no question.
            requests.RequestException: no answer.
        """
        sent = {"headers": headers, "data": body, "timeout": TIMEOUT_SECONDS, **options}
        answer = self._connection.request(method, url, allow_redirects=False, **sent)
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
            answer = self.send(method, url, headers, body)
            lower = {name.lower(): value for name, value in answer.headers.items()}
            return HttpResponse(answer.status_code, answer.content, lower)

        place = self.settings.bucket, self.settings.region, self.settings.host
        return OssClient(*place, by or self.keys, self.now, send, lambda: float(TIMEOUT_SECONDS))

    def session(
        self,
        *actions: str,
        folder: str = "",
        refused_acls: tuple[str, ...] = (),
        life: timedelta | None = None,
    ) -> StsCredentials:
        """
        The upload role, narrowed by the function's own policy to these actions on a folder.

        Raises:
            NotTried: STS does not give it.
        """
        grant = Grant(actions, (folder or self.folder,), refused_acls)
        return self.assume(policy_of(self.settings.bucket, [grant]), life)

    def assume(self, policy: str, life: timedelta | None = None) -> StsCredentials:
        client = sts_client(self.settings, life)
        try:
            return client.assume_role(policy, self.own_keys, self.now, attempts=STS_ATTEMPTS)
        except UploadError as error:
            raise NotTried(reason_of(error), sts_remedy(error)) from None

    def remove(self) -> list[str]:
        """Remove all that is left of this run, and close its connection; return the keys of what stays."""
        self.keys_left += self.verdicts_left
        self.verdicts_left = []
        left = self.tidy()
        self._connection.close()
        return left

    def tidy(self) -> list[str]:
        """Remove what was stored up to now, verdicts left out; return the keys of what could not be."""
        uploads = self.uploads_left
        self.uploads_left = [one for one in uploads if not self._is_gone(one[0], {"uploadId": one[1]})]
        tried = {key: self._is_gone(key, {}) for key in self.keys_left}
        self.keys_left = [key for key, is_gone in tried.items() if not is_gone]
        self.removed += len(tried) - len(self.keys_left)
        return [*dict.fromkeys([*self.keys_left, *(key for key, _ in self.uploads_left)])]

    def _is_gone(self, key: str, query: Mapping[str, str]) -> bool:
        """Delete it, in a bucket that keeps versions with all of them and their delete markers."""
        try:
            answer = self.call("DELETE", key, query=query)
            if "x-oss-delete-marker" in answer.headers:
                oss = self.client()
                entries, _ = list_entries(oss, VERSIONS, key, Markers())
                for entry in (one for one in entries if one.key == key):
                    delete_version(oss, entry)
        except (NotTried, UploadError, requests.RequestException):
            return False
        return answer.status_code in (204, 404)
