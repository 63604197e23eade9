"""Open points of objects, of signed URLs and of hosts."""

from datetime import timedelta
from urllib.parse import urlsplit, urlunsplit

import requests

from function.config.settings import Settings
from ops.client.form_upload import LOOPBACK
from ops.doctor.evidence import NotTried, accepted, evidence, text_in
from ops.doctor.proof.point import Seen, is_refused, told
from ops.doctor.proof.sandbox import Sandbox

LONG_AGO = timedelta(hours=1)


def block_public_access(sandbox: Sandbox) -> Seen:
    """For a moment a byte may be public: a point, gone after this question."""
    accepted(sandbox.call("HEAD", sandbox.put()))
    key = sandbox.new_key()
    return is_refused(sandbox.call("PUT", key, headers={"x-oss-object-acl": "public-read"}, body=b"."))


def _default_host(settings: Settings) -> str:
    """The bucket's own public address; of a local OSS the one that plays it."""
    host = urlsplit(settings.host)
    if host.hostname in LOOPBACK:
        return urlunsplit(host._replace(netloc=f"127.0.0.1:{host.port}"))
    return f"https://{settings.bucket}.oss-{settings.region}.aliyuncs.com"


def _at_default_host(sandbox: Sandbox) -> requests.Response:
    host = _default_host(sandbox.settings)
    url = sandbox.url("GET", sandbox.put(), origin=host)
    try:
        return sandbox.send("GET", url)
    except requests.RequestException as error:
        raise NotTried(f"{host} does not answer ({type(error).__name__})") from None


def public_endpoint_forbidden(sandbox: Sandbox) -> Seen:
    answer = _at_default_host(sandbox)
    return told(text_in(answer, "Code") == "PublicEndpointForbidden", evidence(answer))


def default_host_downloads(sandbox: Sandbox) -> Seen:
    answer = accepted(_at_default_host(sandbox))
    forced = answer.headers.get("x-oss-force-download", "")
    return told(forced == "true", f"x-oss-force-download: {forced or '-'}")


def private_reads_need_signature(sandbox: Sandbox) -> Seen:
    return is_refused(sandbox.send("GET", f"{sandbox.settings.host}/{sandbox.put()}"))


def response_type_fixed(sandbox: Sandbox) -> Seen:
    query = {"response-content-type": "image/png"}
    return is_refused(sandbox.send("GET", sandbox.url("GET", sandbox.put(), query=query)))


def absence_told_to_listers_only(sandbox: Sandbox) -> Seen:
    session = sandbox.session("oss:GetObject")
    accepted(sandbox.call("HEAD", sandbox.put(), by=session))
    answer = sandbox.call("HEAD", f"{sandbox.folder}nothing-has-this-name", by=session)
    if answer.status_code not in (403, 404):
        raise NotTried(f"HTTP {answer.status_code}")
    return told(answer.status_code == 403, evidence(answer))


def expired_url_is_400(sandbox: Sandbox) -> Seen:
    answer = sandbox.send("GET", sandbox.url("GET", sandbox.put(), at=sandbox.now - LONG_AGO))
    if answer.status_code not in (400, 403):
        raise NotTried(f"HTTP {answer.status_code}")
    return told(answer.status_code == 400, evidence(answer))


def identity_encoding(sandbox: Sandbox) -> Seen:
    """Find how ``Content-Encoding: identity`` comes back."""
    key = sandbox.put({"content-encoding": "identity"})
    kept = accepted(sandbox.call("HEAD", key)).headers.get("Content-Encoding")
    said = f"kept as {kept}" if kept else "dropped"
    return Seen(None, said, f"Content-Encoding: {kept or '-'}")
