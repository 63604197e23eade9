"""Authorities that outgoing TLS trusts."""

from functools import lru_cache
from pathlib import Path

from function.annotations import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl


# Once an instance: reading the certificates of all authorities takes as long as a request.
@lru_cache(maxsize=1)
def verifying_context() -> "ssl.SSLContext":
    """Return a TLS context that checks certificate and name against the packaged authorities."""
    import ssl

    path = ca_bundle_path()
    if Path(path).is_dir():
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


def ca_bundle_path() -> str:
    """
    Return the path of the packaged certificates, whatever the environment names.

    In a package it is a folder, of which a connection reads one file instead of all authorities.
    """
    from importlib.machinery import PathFinder

    # Not certifi.where(), which imports a resource library to find a plain file.
    spec = PathFinder.find_spec("certifi")
    place = Path(str(spec and spec.origin)).parent
    hashed = place / "authorities"
    return str(hashed if hashed.is_dir() else place / "cacert.pem")
