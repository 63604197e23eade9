"""What is fuzzed: each target takes any bytes and may raise nothing but what its documentation says."""

import io
import json
import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt

from function.app import load_settings
from function.auth import Caller, identify
from function.auth.signed_tokens import PARTS, RECEIPT, SESSION, TICKET, read_token
from function.errors import InternalError, Misconfigured, UploadError
from function.http.client import HttpResponse
from function.http.gateway import Request
from function.http.json_body import read_json_object
from function.oss.callback_signature import key_path
from function.sts.assume_role import parse_response
from function.sts.credentials import StsCredentials
from function.sts.session_policy import UPLOADS
from function.uploads.callback_verification import verify_callback
from function.uploads.plan import plan_upload
from function.uploads.receipt import describe
from function.uploads.request import profile_of, read_fields, read_files, read_query
from handler import serve
from local.common.accounts import AccessKey
from local.sts.assume_role import Session
from quality.torture import fuzz_keys, fuzz_labels, fuzz_parts, fuzz_pushes
from quality.torture.fuzz_keys import KeysTarget
from quality.torture.fuzz_labels import LabelTarget
from quality.torture.fuzz_parts import PartsTarget
from quality.torture.fuzz_pushes import PushTarget
from tests.support import stage
from tests.support.canaries import Watch
from tests.support.dice import Dice

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
STS_REPLY = Session(
    AccessKey("STS.Role", "", "role-token", NOW + timedelta(hours=1)), f"{stage.ROLE}/x", "1:x"
).to_json()
OPENID = b'{"openid": "oUser", "session_key": "x"}'
UPLOAD_ID = "A" * 22
TICKET_CLAIMS = {
    "jti": UPLOAD_ID,
    "app": stage.APP_ID,
    "bucket": stage.BUCKET,
    "key": "uploads/a.png",
    "type": "image/png",
    "sizes": [9, 9],
    "profile": "default",
    "sub": "oUser",
    "owner": "owner",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 60,
    "aud": TICKET,
}
METHODS = ("GET", "POST", "OPTIONS", "HEAD", "PUT")
PATHS = ("/", "/upload-params", "/login", "/callback", "/health", "/x/upload-params/")

Target = Callable[[bytes], None]


class Bench:
    """Everything the targets need, made once: settings, tokens, an instance that holds credentials."""

    def __init__(self, watch: Watch, profiles_file: str) -> None:
        self.watch = watch
        self.environ = environ = stage.planted_environment(watch, profiles_file)
        self.settings = load_settings(environ)
        self.jwt_settings = load_settings(
            {**environ, "CALLER_AUTH": "jwt", "JWT_KEY": watch.plant("jwt"), "JWT_ALGORITHM": "HS256"}
        )
        self.function = stage.build(environ, lambda: NOW, send=self._exchange)
        # What AssumeRole would bring, so that no fuzz input waits for a socket.
        held = StsCredentials("STS.Role", watch.plant("role"), "token", NOW + timedelta(hours=1))
        ready: Any = self.function.ready()
        cache = ready.credentials[ready.settings.home.session(UPLOADS)]
        cache.assume_role = lambda own, now, *, attempts: held
        self.key: Any = _AcceptingKey()
        self.ticket = _signed(json.dumps(TICKET_CLAIMS), self.settings.token_secrets[0])
        self.parts = PartsTarget(watch, NOW)

    def _exchange(self, method: str, url: str, **_options: Any) -> HttpResponse:
        return HttpResponse(200, OPENID)

    def targets(self) -> dict[str, Target]:
        return {
            "events": self.event,
            "WSGI environs": self.wsgi,
            "JSON bodies": self.json_body,
            "profiles.toml": self.profiles,
            "tokens": self.token,
            "callbacks": self.callback,
            "STS answers": self.sts_answer,
            "uploads in parts": self.parts,
            "keys to read": KeysTarget(),
            "WeChat's pushes": PushTarget(),
            "files with labels": LabelTarget(),
        }

    def event(self, data: bytes) -> None:
        answer = serve(self.function, data, None)
        self._check(answer["statusCode"], answer["body"])
        json.dumps(answer).encode()

    def wsgi(self, data: bytes) -> None:
        dice = Dice(data)
        environ: dict[str, Any] = {
            "REQUEST_METHOD": dice.one_of((*METHODS, dice.text(6))),
            "PATH_INFO": dice.one_of((*PATHS, dice.text(20))),
            "QUERY_STRING": dice.text(30),
            "CONTENT_TYPE": dice.one_of(("application/json", "", dice.text(20))),
            "CONTENT_LENGTH": dice.one_of((None, "", "5", dice.text(5))),
            "REMOTE_ADDR": dice.text(8),
        }
        for name in ("AUTHORIZATION", "X_UPLOAD_TOKEN", "ORIGIN", "X_OSS_PUB_KEY_URL", "X_FC_REQUEST_ID"):
            if dice.number(2):
                environ[f"HTTP_{name}"] = dice.one_of(
                    ("Bearer " + dice.text(9), stage.KEY_HEADER, dice.text(9))
                )
        if dice.number(2):
            environ["HTTP_" + dice.text(6)] = dice.text(9)
        environ = {name: value for name, value in environ.items() if value is not None}
        body = dice.rest()
        if dice.fair:
            environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)
        started: list[Any] = []
        parts = serve(self.function, environ, lambda status, headers: started.append((status, headers)))
        ((status, headers),) = started
        self._check(int(status[:3]), b"".join(parts).decode())
        for name, value in headers:
            f"{name}: {value}".encode("latin-1")
            if "\n" in value or "\r" in value:
                raise AssertionError(f"a header of two lines: {name}")

    def json_body(self, data: bytes) -> None:
        with _only_upload_errors(self.watch):
            fields = read_json_object(data)
            files = fields.get("files")
            for wanted in [read_fields(fields)] if files is None else read_files(files):
                self._plan(wanted)
        with _only_upload_errors(self.watch):
            dice = Dice(data)
            names = ("profile", "filename", "contentType", "size", dice.text(5))
            self._plan(read_query({name: dice.text(12) for name in names if dice.number(2)}))

    def _plan(self, wanted: Any) -> None:
        profile = profile_of(wanted, self.settings.profiles)
        caller = Caller("oUser", "owner", self.settings.callers[0])
        plan = plan_upload(caller, wanted, profile, self.settings, UPLOAD_ID, NOW)
        if not plan.rule.key.startswith(("uploads/owner/", "test/")) or len(plan.rule.key.encode()) > 1023:
            raise AssertionError("a key outside its folder")
        if plan.rule.max_size_bytes > profile.max_size_bytes:
            raise AssertionError("a size over the profile's")

    def profiles(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        with _only_upload_errors(self.watch, Misconfigured):
            settings = load_settings(self.environ, lambda path: text)
            for profile in settings.profiles.values():
                folder = profile.key.literal_folder
                if not profile.key.text.startswith(folder) or folder in ("", "/"):
                    raise AssertionError("a profile without a folder")

    def token(self, data: bytes) -> None:
        dice = Dice(data)
        secret = self.settings.token_secrets[-1]
        kind = dice.number(4)
        if kind == 0:
            token = data[1:].decode("utf-8", "surrogateescape")
        elif kind == 1:
            token = _signed(dice.json_like(), secret)
        elif kind == 2:
            claims = {
                name: dice.value()
                for name in ("aud", "exp", "nbf", "iat", "sub", "iss", "app", "bucket")
                if dice.number(3)
            }
            claims["aud"] = dice.one_of((SESSION, TICKET, PARTS, [SESSION], claims.get("aud")))
            claims["exp"] = dice.one_of((NOW.timestamp() + 9, claims.get("exp")))
            claims["iat"] = dice.one_of((NOW.timestamp(), claims.get("iat")))
            claims["app"] = dice.one_of((stage.APP_ID, stage.APP_ID, claims.get("app")))
            claims["bucket"] = dice.one_of((stage.BUCKET, stage.BUCKET, claims.get("bucket")))
            token = _signed(json.dumps(claims), secret, dice.one_of(("HS256", "none", "HS512")))
        else:
            token = _signed(dice.json_like(), secret) + dice.text(3)
        audience = dice.one_of((SESSION, TICKET, RECEIPT, PARTS))
        secrets = self.settings.token_secrets
        with _only_upload_errors(self.watch):
            read_token(token, audience=audience, secrets=secrets, now=NOW)
        settings = dice.one_of((self.settings, self.jwt_settings))
        with _only_upload_errors(self.watch):
            caller = identify({"authorization": f"Bearer {token}"}, settings, NOW)
            if len(caller.owner) != 26:
                raise AssertionError("an owner of another shape")
            if settings is self.settings:
                self._check_session(read_token(token, audience=SESSION, secrets=secrets, now=NOW))

    def _check_session(self, claims: Mapping[str, Any]) -> None:
        if (claims["app"], claims["bucket"]) != (stage.APP_ID, stage.BUCKET):
            raise AssertionError("a session of another app or bucket")
        if claims["exp"] > (NOW + self.settings.token_life + timedelta(minutes=1)).timestamp():
            raise AssertionError("a session for longer than any is given")

    def callback(self, data: bytes) -> None:
        dice = Dice(data)
        names = ("bucket", "object", "etag", "size", "mimeType", "width", "height", dice.text(4))
        good = {"bucket": stage.BUCKET, "object": "uploads/a.png", "size": "9", "etag": '"9-A"'}
        good["mimeType"] = "image/png;q=1"
        pairs = [f"{name}={dice.one_of((good.get(name, ''), dice.text(8)))}" for name in names]
        pairs.append(f"ticket={dice.one_of((self.ticket, self.ticket, dice.text(9)))}")
        body = dice.rest() if dice.number(8) == 7 else "&".join(pairs).encode(errors="surrogateescape")
        address = b64encode(dice.text(30).encode(errors="surrogateescape")).decode()
        headers = {
            "authorization": dice.one_of(("b2s=", "b2s=", dice.text(9))),
            "x-oss-pub-key-url": dice.one_of((stage.KEY_HEADER, stage.KEY_HEADER, address, dice.text(9))),
        }
        with _only_upload_errors(self.watch):
            path, raw_query = dice.one_of(("/callback", dice.text(9))), dice.one_of(("", dice.text(9)))
            request = Request("POST", path, {}, raw_query, headers, body, "203.0.113.7")
            upload = verify_callback(request, self.settings, self.key, NOW)
            if (upload.key, upload.size_bytes, upload.mime_type) != ("uploads/a.png", 9, "image/png"):
                raise AssertionError("a receipt for another object")
            if not re.fullmatch("[0-9A-Za-z-]{1,64}", upload.etag):
                raise AssertionError("a receipt with an etag that is none")
            self.watch.search(repr(describe(upload, self.settings)), "response")

    def sts_answer(self, data: bytes) -> None:
        with _only_upload_errors(self.watch):
            given = parse_response(data)
            if given.expires_at.tzinfo is None:
                raise AssertionError("an end without a time zone")

    def _check(self, status: int, body: str) -> None:
        self.watch.search(body, "response")
        if status == InternalError.status:
            raise AssertionError(f"answered 500: {body}")


class _AcceptingKey:
    """A public key of OSS that every signature fits, so that what follows the signature is reached."""

    def find(self, address_header: str, **_whose: Any) -> "_AcceptingKey":
        key_path(address_header)
        return self

    def verify(self, *_arguments: Any) -> None:
        return None


@contextmanager
def _only_upload_errors(watch: Watch, *allowed_500: type[UploadError]) -> Iterator[None]:
    """Swallow errors raised on purpose, after searching them; all others are what fuzzing looks for."""
    try:
        yield
    except UploadError as error:
        watch.search(f"{error}{error!r}{error.reason}", "exception")
        if error.status == InternalError.status and not isinstance(error, allowed_500):
            raise


def _signed(payload: str, secret: str, algorithm: str = "HS256") -> str:
    key = "" if algorithm == "none" else secret
    data = payload.encode("utf-8", "surrogatepass")
    return jwt.api_jws.encode(data, key, algorithm=algorithm, headers={"typ": "JWT"})


SEEDS: Mapping[str, tuple[bytes, ...]] = {
    "uploads in parts": fuzz_parts.SEEDS,
    "keys to read": fuzz_keys.SEEDS,
    "WeChat's pushes": fuzz_pushes.SEEDS,
    "files with labels": fuzz_labels.SEEDS,
    "events": (
        stage.make_event({"filename": "a.png"}, headers={"Authorization": "x"}, query={"profile": "page"}),
        b'{"requestContext": {"http": {"path": "/login", "method": "POST"}},"body": "{\\"code\\": \\"a\\"}"}',
        b'{"requestContext": {"http": {"path": "/callback", "method": "POST"}}, "isBase64Encoded": true,'
        b'"body": "YT0x", "headers": {"authorization": "b2s=", "x-oss-pub-key-url": "%s"}}'
        % stage.KEY_HEADER.encode(),
    ),
    "WSGI environs": (bytes(range(120)), b'\x01\x02\x00POST{"code": "x"}' * 3),
    "JSON bodies": (
        b'{"profile": "default", "filename": "a.png", "contentType": "image/png", "size": 5}',
        b'{"files": [{"profile": "page", "filename": "\\ud800.png"}, {"contentType": "Image/PNG; q=1"}]}',
        b"\xef\xbb\xbf{}",
        b'{"size": 1e400, "size": NaN}',
    ),
    "profiles.toml": (
        stage.PROFILES.encode(),
        b'[a]\nkey = "a/{owner}/{yyyy}/{mm}/{dd}/{id}{ext}"\nmax_size = "2MiB"\nmin_size = 3\n'
        b'expires_in = 300\ncontent_types = ["image/*"]\n'
        b'acl = "public-read"\noverwrite = true\nsignature = "v1"\n'
        b'cache_control = "x"\nstorage_class = "IA"\n[a.metadata]\nsource = "mini"\n',
    ),
    "tokens": (
        b"\x00eyJhbGciOiJub25lIn0.e30.",
        b'\x01{"sub": "x", "aud": 1, "exp": 1e999}',
        bytes(range(60)),
    ),
    "callbacks": (bytes(90), b"\x01" * 90, bytes(range(100))),
    "STS answers": (
        json.dumps(STS_REPLY).encode(),
        b'{"Code": "SignatureDoesNotMatch", "Message": "no colon", "RequestId": "x"}',
        b'{"Code": null, "Message": 5}',
        b"null",
    ),
}


def of(name: str, watch: Watch, folder: Path) -> Target:
    """
    One target alone, in a process of its own.

    No log line is built: the faults search those; here only what is raised counts.
    """
    logging.getLogger("oss_direct_upload").disabled = True
    profiles = folder / "profiles.toml"
    profiles.write_text(stage.PROFILES, "utf-8")
    return Bench(watch, str(profiles)).targets()[name]
