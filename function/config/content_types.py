"""Content types as text: how one is written, and whether a browser runs what comes under it."""

import re
from functools import lru_cache

CONTENT_TYPE = r"[a-z0-9][a-z0-9!#&^_.+-]{0,126}/[a-z0-9][a-z0-9!#&^_.+-]{0,126}"
SCRIPTS = ("javascript", "ecmascript", "jscript", "livescript")
# Under these names a browser looks into the file, and takes HTML for what it is: https://mimesniff.spec.whatwg.org
LOOKED_INTO = ("unknown/unknown", "application/unknown")


def bare_type(text: str) -> str:
    """A content type in lower case, without its parameters; empty when it is none."""
    kind = text.partition(";")[0].strip().lower()
    return kind if re.fullmatch(CONTENT_TYPE, kind) else ""


# Asked twice for each form, and a type says the same each time.
@lru_cache(maxsize=256)
def is_run_by_browsers(kind: str) -> bool:
    """Whether a page of this type acts in the name of its origin: HTML, XML (SVG among it), scripts."""
    main, _, sub = kind.partition("/")
    markup = sub.rpartition("+")[2].partition("-")[0]
    return (
        main == "multipart"
        or kind in LOOKED_INTO
        or markup in ("xml", "xsl")
        or any(word in sub for word in ("html", *SCRIPTS))
    )
