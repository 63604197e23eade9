"""
Certificate authorities as OpenSSL's hashed folder: a connection reads the one it needs, and not all of them.

Source: https://docs.openssl.org/3.0/man3/SSL_CTX_load_verify_locations/
"""

import hashlib
import re
import shutil
import ssl
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

PACKAGE, BUNDLE, FOLDER = "certifi", "cacert.pem", "authorities"
# The function asks for the folder; hooks, and what they bring, may ask for the file.
IMPORT = re.compile(r"^\s*(import|from)\s+certifi\b", re.MULTILINE)
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
# Of the first field of a certificate, which those of version 1 lack.
VERSION_TAG = 0xA0
SEQUENCE, SET, UTF8_STRING = 0x30, 0x31, 0x0C
OBJECT_ID = 0x06
# PrintableString, TeletexString, IA5String, VisibleString, and two that are wider.
TEXT_TAGS = {UTF8_STRING: "utf-8", **dict.fromkeys((0x13, 0x14, 0x16, 0x1A), "latin-1")}
TEXT_TAGS |= {0x1C: "utf-32-be", 0x1E: "utf-16-be"}


def hash_authorities(package: Path) -> None:
    """Put a hashed folder in the place of the file of all authorities; that stays where it is read."""
    pem = package / PACKAGE / BUNDLE
    trust(package, pem)
    # A program is none of what the function imports.
    readers = (path for path in package.rglob("*.py") if path.name != "__main__.py")
    if not any(IMPORT.search(path.read_text("utf-8")) for path in readers):
        pem.unlink()


def trust(package: Path, pem: Path) -> int:
    """Have a package trust these authorities and no other; return how many there are."""
    folder = package / PACKAGE / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    numbers: Counter[str] = Counter()
    for certificate in certificates(pem.read_text("utf-8")):
        name = name_hash(ssl.PEM_cert_to_DER_cert(certificate))
        (folder / f"{name}.{numbers[name]}").write_text(certificate, "ascii")
        numbers[name] += 1
    return numbers.total()


def certificates(pem: str) -> Iterator[str]:
    """Each certificate of a PEM file, without the comments around it."""
    for part in pem.split(BEGIN)[1:]:
        yield f"{BEGIN}{part.partition(END)[0]}{END}\n"


def name_hash(certificate: bytes) -> str:
    """
    The hash of the subject by which OpenSSL looks for an authority.

    Texts count as UTF-8, in lower case, with single spaces; the outermost header of the name does not count.

    Source: x509_name_canon in https://github.com/openssl/openssl/blob/master/crypto/x509/x_name.c
    """
    ((_, whole),) = _elements(certificate)
    fields = list(_elements(next(_elements(whole))[1]))
    # Serial number, algorithm, issuer, validity, subject.
    subject = fields[4 + (fields[0][0] == VERSION_TAG)][1]
    canonical = b"".join(
        _encoded(SET, b"".join(_canonical(attribute) for _, attribute in _elements(part)))
        for _, part in _elements(subject)
    )
    return f"{int.from_bytes(hashlib.sha1(canonical).digest()[:4], 'little'):08x}"


def _canonical(attribute: bytes) -> bytes:
    (_, kind), (tag, value) = _elements(attribute)
    if tag in TEXT_TAGS:
        # As bytes: of letters beyond ASCII the case counts.
        words = value.decode(TEXT_TAGS[tag]).encode("utf-8").lower().split()
        tag, value = UTF8_STRING, b" ".join(words)
    return _encoded(SEQUENCE, _encoded(OBJECT_ID, kind) + _encoded(tag, value))


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element, one after another."""
    while der:
        length, start = der[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[2:start], "big")
        yield der[0], der[start : start + length]
        der = der[start + length :]


def _encoded(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content
