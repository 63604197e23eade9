"""
Verification of request signatures: RPC (HMAC-SHA1) and ACS3 (HMAC-SHA256).

Sources: https://help.aliyun.com/zh/sdk/product-overview/rpc-mechanism (RPC),
https://help.aliyun.com/zh/sdk/product-overview/v3-request-structure-and-signature (ACS3)
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from local.rpc.errors import RpcError, incomplete_signature, invalid, missing
from local.rpc.request import HttpRequest, read_parameters

ACS3 = "ACS3-HMAC-SHA256"
AUTHORIZATION = re.compile(
    rf"{ACS3} Credential=(?P<key_id>[^,\s]+), ?SignedHeaders=(?P<headers>[^,\s]+), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
# In this order, so that what was no API call at all is told that it lacks an action.
RPC_REQUIRED = (
    "Action",
    "Version",
    "AccessKeyId",
    "Signature",
    "SignatureMethod",
    "SignatureVersion",
    "SignatureNonce",
    "Timestamp",
)
ACS3_REQUIRED = ("host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce")
CONTENT_HASH = "x-acs-content-sha256"


@dataclass(frozen=True)
class SignedRequest:
    """
    Signed request with all that its signature is checked against.

    Args:
        algorithm: ``HMAC-SHA1`` (base64, key followed by ``&``) or ``ACS3-HMAC-SHA256`` (hexadecimal).

        timestamp: as sent, unchecked.

        security_token: empty when none was sent.
    """

    access_key_id: str
    action: str
    version: str
    parameters: dict[str, str] = field(repr=False)
    timestamp: str
    nonce: str
    security_token: str = field(repr=False)
    algorithm: str
    string_to_sign: str = field(repr=False)
    signature: str = field(repr=False)

    def is_signed_with(self, secret: str) -> bool:
        text = self.string_to_sign.encode()
        if self.algorithm == ACS3:
            expected = hmac.digest(secret.encode(), text, "sha256").hex().encode()
        else:
            expected = base64.b64encode(hmac.digest(f"{secret}&".encode(), text, "sha1"))
        return hmac.compare_digest(expected, self.signature.encode())


def read_signed(request: HttpRequest) -> SignedRequest:
    """Read a request the way its signature says; an ``Authorization`` header is never ignored."""
    if request.header("authorization") is not None:
        return read_acs3(request)
    return read_rpc(request)


def read_rpc(request: HttpRequest) -> SignedRequest:
    """Signature version 1.0: every parameter, from query and form alike, is signed."""
    given = read_parameters(request)
    for name in RPC_REQUIRED:
        if not given.get(name):
            raise missing(name)
    if given["SignatureMethod"] != "HMAC-SHA1":
        raise invalid("SignatureMethod", "SignatureMethod must be HMAC-SHA1.")
    if given["SignatureVersion"] != "1.0":
        raise invalid("SignatureVersion", "SignatureVersion must be 1.0.")
    if given.get("SignatureType"):
        raise invalid("SignatureType", "SignatureType must be empty or absent: only key pairs can sign here.")
    # The gateway's default is XML, which this emulator does not write.
    if given.get("Format", "XML").upper() != "JSON":
        raise invalid("Format", "Only JSON is answered here; send Format=JSON.")
    canonical = canonical_query([pair for pair in given.items() if pair[0] != "Signature"])
    return SignedRequest(
        access_key_id=given["AccessKeyId"],
        action=given["Action"],
        version=given["Version"],
        parameters=given,
        timestamp=given["Timestamp"],
        nonce=given["SignatureNonce"],
        security_token=given.get("SecurityToken", ""),
        algorithm="HMAC-SHA1",
        string_to_sign=f"{request.method}&%2F&{percent_encode(canonical)}",
        signature=given["Signature"],
    )


def read_acs3(request: HttpRequest) -> SignedRequest:
    """Signature version 3: common parameters are headers, and all that change the meaning must be signed."""
    header = AUTHORIZATION.fullmatch(request.header("authorization") or "")
    if header is None:
        raise incomplete_signature(
            f"Authorization must read '{ACS3} Credential=…,SignedHeaders=…,Signature=<64 hex digits>'."
        )
    parameters = read_parameters(request)
    values = {name: _require_header(request, name) for name in (*ACS3_REQUIRED, CONTENT_HASH)}
    if values[CONTENT_HASH] != hashlib.sha256(request.body).hexdigest():
        raise incomplete_signature(f"{CONTENT_HASH} is not the SHA-256 of the body.")
    if request.header("x-acs-accesskey-id") not in (None, header["key_id"]):
        raise incomplete_signature("x-acs-accesskey-id is not the key that Authorization names.")
    canonical = canonical_request(request, header["headers"].split(";"), values[CONTENT_HASH])
    # Header text was read as latin-1, so this gives the bytes that were sent.
    hashed = hashlib.sha256(canonical.encode("latin-1")).hexdigest()
    return SignedRequest(
        access_key_id=header["key_id"],
        action=values["x-acs-action"],
        version=values["x-acs-version"],
        parameters=parameters,
        timestamp=values["x-acs-date"],
        nonce=values["x-acs-signature-nonce"],
        security_token=request.header("x-acs-security-token") or "",
        algorithm=ACS3,
        string_to_sign=f"{ACS3}\n{hashed}",
        signature=header["signature"],
    )


def canonical_request(request: HttpRequest, signed: list[str], content_hash: str) -> str:
    """
    The text whose hash ACS3 signs.

    Args:
        signed: header names from ``SignedHeaders``; refused when a header that changes the meaning is not
            among them: host, every ``x-acs-*`` sent, and the content type of a body.
    """
    sent = {name.lower() for name, _ in request.headers}
    needed = {name for name in sent if name.startswith("x-acs-")} | {"host"}
    if request.body:
        needed.add("content-type")
    unsigned = sorted(needed - set(signed))
    if unsigned:
        raise incomplete_signature(f"SignedHeaders must also name {', '.join(unsigned)}.")
    if signed != sorted(set(signed)) or not set(signed) <= sent:
        raise incomplete_signature(
            "SignedHeaders must name headers of the request in lower case, sorted, once each."
        )
    query = canonical_query(parse_qsl(request.query, keep_blank_values=True))
    lines = "".join(f"{name}:{request.header(name)}\n" for name in signed)
    return "\n".join([request.method, "/", query, lines, ";".join(signed), content_hash])


def canonical_query(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{percent_encode(name)}={percent_encode(value)}" for name, value in sorted(pairs))


def percent_encode(text: str) -> str:
    return quote(text, safe="~")


def _require_header(request: HttpRequest, name: str) -> str:
    value = request.header(name)
    if not value:
        raise RpcError(400, "MissingHeader", f"The header {name} is mandatory with {ACS3}.")
    return value
