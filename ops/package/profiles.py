"""
``profiles.toml`` as JSON beside it, which a cold start reads in a tenth of the time.

The function uses it for exactly the text that it was made of.
"""

import json
import tomllib
from hashlib import sha256
from pathlib import Path

from function.config.profiles import PREPARED, PROFILES_TOML


def prepare_profiles(folder: Path) -> None:
    """
    Write the tables of the package's ``profiles.toml``, by the hash of its text.

    A text is left to the function that is no TOML, or has values that JSON would change.
    """
    target = folder / PREPARED.name
    target.unlink(missing_ok=True)
    try:
        text = (folder / PROFILES_TOML).read_text("utf-8")
        prepared = {sha256(text.encode()).hexdigest(): tomllib.loads(text.removeprefix("\ufeff"))}
        written = json.dumps(prepared, ensure_ascii=False, separators=(",", ":"))
        if repr(json.loads(written)) == repr(prepared):
            target.write_text(written, "utf-8")
    # Dates are a TypeError, deep nesting a RecursionError.
    except (ValueError, TypeError, RecursionError):
        return
