"""
Callers of the local cloud: a sample of each kind, and secrets that the local platforms know.

With ``several``, ``callers.toml`` has the samples or the entries of a project, whose names and ids stay.
"""

import secrets
import tempfile
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt

from local.alipay.server import GATEWAY
from local.alipay.signing import key_of, private_text, public_text
from local.deployment import Deployment
from local.profiles import Profiles, in_local_buckets, toml_of
from local.wechat.push import PushSettings

if TYPE_CHECKING:
    from local.cloud import LocalCloud

Callers = Mapping[str, Mapping[str, Any]]

CALLERS_TOML, SEVERAL = "callers.toml", "several"
APP_ID = "wx0000000000local0"
SAMPLES: Callers = {
    "main": {"kind": "wechat", "appid": APP_ID, "owners": "unnamed"},
    "second": {"kind": "wechat", "appid": "wx0000000000local1"},
    "pay": {"kind": "alipay", "app_id": "2021000000000001"},
    "tt": {"kind": "douyin", "appid": "tt0000000000local0"},
    "site": {"kind": "jwt", "issuer": "https://site.example", "audience": "uploads"},
    "app": {"kind": "jwt", "issuer": "https://app.example", "audience": "uploads"},
}
# Of a deployment with one caller.
ALONE: Callers = {
    "wechat": SAMPLES["main"],
    "jwt": {},
    "anonymous": {},
    "alipay": SAMPLES["pay"],
    "douyin": SAMPLES["tt"],
}
CALLER_KINDS = (*ALONE, SEVERAL)
# Keys of an entry that lead out of this cloud.
LEADING_OUT = ("endpoint", "push_forward_url")
CLAIMS = {"iss": "issuer", "aud": "audience"}


def sample_callers(caller_auth: str) -> Callers:
    return SAMPLES if caller_auth == SEVERAL else {}


def read_callers(text: str) -> Callers | None:
    """Return the entries of a ``callers.toml`` by name; ``None`` of what the function has to refuse."""
    try:
        callers = tomllib.loads(text)
    except ValueError:
        return None
    return callers if all(isinstance(entry, dict) for entry in callers.values()) else None


def app_of(entry: Mapping[str, Any]) -> str:
    """Return the id that the platform knows a mini-program by; empty where it is none."""
    return str(entry.get("appid") or entry.get("app_id", ""))


def _issuer_key(cloud: "LocalCloud", issuer: object) -> str:
    """Return the key that an issuer signs with; one is not good for another."""
    return sha256(f"{cloud.jwt_key} {issuer}".encode()).hexdigest() if issuer else cloud.jwt_key


def token_of(cloud: "LocalCloud", subject: str, lifetime_seconds: int = 86400, caller: str = "") -> str:
    """Return a login token of the business's own backend, or of the issuer with this name."""
    now, entry = int(cloud.gateway.now().timestamp()), cloud.deployment.callers.get(caller, {})
    claims = {"sub": subject, "iat": now, "exp": now + lifetime_seconds}
    claims |= {claim: entry[key] for claim, key in CLAIMS.items() if key in entry}
    return jwt.encode(claims, _issuer_key(cloud, entry.get("issuer")), algorithm="HS256")


def prepared(
    cloud: "LocalCloud",
    caller_auth: str,
    profiles: Profiles,
    settings: Mapping[str, str],
    callers: Callers | None = None,
    *,
    is_demo: bool = False,
) -> Deployment:
    """
    Return a deployment of these profiles in the buckets of this cloud; nothing runs with it yet.

    Args:
        callers: of ``callers.toml``; none with one caller.
    """
    file = Path(tempfile.mkdtemp(dir=cloud.folder)) / "profiles.toml"
    here = in_local_buckets(profiles, cloud.archive.origin)
    file.write_text(toml_of(here), "utf-8")
    if callers:
        file.with_name(CALLERS_TOML).write_text(_callers_text(cloud, callers, file.parent), "utf-8")
    return Deployment(caller_auth, here, file, settings, callers or {}, is_demo)


def _callers_text(cloud: "LocalCloud", callers: Callers, folder: Path) -> str:
    """
    Return a ``callers.toml`` of these entries with secrets of this cloud.

    Args:
        folder: gets a file for each secret.
    """
    entries: dict[str, dict[str, Any]] = {}
    for number, (name, entry) in enumerate(callers.items()):
        entries[name] = {key: value for key, value in entry.items() if key not in LEADING_OUT}
        for key, value in _secrets_of(cloud, str(entry.get("kind")), entry).items():
            file = folder / f"{number}.{key}"
            file.write_text(value, "utf-8")
            entries[name][key] = f"file:{file}"
    return toml_of(entries)


def settings_alone(cloud: "LocalCloud", kind: str) -> dict[str, str]:
    """Return the settings of the one caller of a deployment."""
    entry = ALONE.get(kind, {})
    known = {**entry, **_secrets_of(cloud, kind, entry)}
    named = {key if key.startswith(kind) else f"{kind}_{key}": value for key, value in known.items()}
    return {name.upper(): named[name] for name in named if not name.endswith(("_kind", "_owners"))}


def _secrets_of(cloud: "LocalCloud", kind: str, entry: Mapping[str, Any]) -> dict[str, str]:
    """Return the secrets of an entry, which its platform knows from now on."""
    app_id = app_of(entry)
    secret = f"local-secret-of-{app_id}-that-opens-nothing"
    match kind:
        case "wechat":
            if app_id not in cloud.wechat.apps:
                cloud.wechat.register(app_id, secret, new_push(f"{cloud.push.url}/{app_id}"))
            push = cloud.wechat.checks.pushes[app_id] or cloud.push
            more = {"push_token": push.token, "push_aes_key": push.aes_key}
            return {"secret": cloud.wechat.apps[app_id].secret, **more}
        case "alipay":
            cloud.alipay.apps[app_id] = key_of(app_id).public_key()
            return {"key": private_text(app_id), "alipay_public_key": public_text(GATEWAY)}
        case "douyin":
            return {"secret": cloud.douyin.apps.setdefault(app_id, secret)}
        case "jwt":
            return {"algorithm": "HS256", "key": _issuer_key(cloud, entry.get("issuer"))}
    return {}


def new_push(url: str) -> PushSettings:
    """Return what a developer enters in the console of the message push."""
    return PushSettings(url, secrets.token_hex(16), secrets.token_hex(22)[:43])
