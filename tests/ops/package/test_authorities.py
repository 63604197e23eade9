"""The hashed folder of authorities: each is where OpenSSL looks for it."""

import shutil
import ssl
import subprocess
from datetime import UTC, datetime, timedelta

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from ops.package.authorities import certificates, hash_authorities, name_hash, trust

START = datetime(2026, 1, 1, tzinfo=UTC)


def of_authority(*attributes):
    """A certificate, in PEM, whose subject has these texts, each of its own kind."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text, _type=kind) for text, kind in attributes])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, START, START + timedelta(days=1))
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM).decode()


def hashed(certificate):
    return name_hash(ssl.PEM_cert_to_DER_cert(certificate))


def test_each_authority_has_the_name_that_openssl_looks_for(openssl, tmp_path):
    found = list(certificates(certifi.contents()))
    assert len(found) == certifi.contents().count("BEGIN CERTIFICATE") > 100
    for number, each in enumerate(found):
        (tmp_path / f"{number}.pem").write_text(each, "ascii")
    # One process for all of them, where a hash of each takes one of its own; the second name is LibreSSL's.
    assert any(not subprocess.run([openssl, name, tmp_path]).returncode for name in ("rehash", "certhash"))
    links = {path.readlink().name: path.stem for path in tmp_path.iterdir() if path.is_symlink()}
    assert [hashed(each) for each in found] == [links[f"{number}.pem"] for number in range(len(found))]


@pytest.fixture
def package(tmp_path):
    (tmp_path / "certifi").mkdir()
    shutil.copyfile(certifi.where(), tmp_path / "certifi" / "cacert.pem")
    return tmp_path


def test_two_authorities_of_one_name_are_both_kept(package, tmp_path):
    twin = [("Twin", _ASN1Type.UTF8String), ("12", _ASN1Type.NumericString)]
    pem = tmp_path / "twins.pem"
    pem.write_text(f"# one\n{of_authority(*twin)}# the other\n{of_authority(*twin)}", "utf-8")
    assert trust(package, pem) == 2
    paths = sorted((package / "certifi" / "authorities").iterdir())
    assert [path.suffix for path in paths] == [".0", ".1"]
    assert paths[0].stem == paths[1].stem
    assert paths[0].read_text("ascii") != paths[1].read_text("ascii")


@pytest.mark.parametrize(("path", "source", "stays"), [
    ("hooks.py", "import json\n", False),
    ("hooks.py", "def on_upload():\n    from certifi import where\n", True),
    ("requests/certs.py", "import certifi\n", True),
    ("aliyunsdkcore/certs.py", "from .packages.certifi import where\n", False),
    ("certifi/__main__.py", "from certifi import where\n", False),
])  # fmt: skip
def test_the_file_of_all_authorities_stays_where_something_imports_its_package(package, path, source, stays):
    (package / path).parent.mkdir(exist_ok=True)
    (package / path).write_text(source, "utf-8")
    hash_authorities(package)
    assert (package / "certifi" / "cacert.pem").exists() is stays
