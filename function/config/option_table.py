"""Options of a profile: one row each."""

from function.annotations import Any, NamedTuple
from function.config import green, types
from function.config.profile import ACL_FIELD, CHECK, COMMIT, META_PREFIX, STORAGE_CLASS_FIELD, fits_metadata
from function.config.types import Type
from function.messages import Message

SIGNATURE_VERSIONS = ("v4", "v1")
# Names of profiles and variants.
NAME, MAX_VARIANTS = r"[A-Za-z0-9_-]{1,64}", 64
# Printable ASCII without the dollar sign, which a policy would have to escape.
HEADER = r"[\x20-\x23\x25-\x7e]{1,1024}"
HEADER_TYPE = types.matching(HEADER, Message("1 to 1024 printable ASCII characters without $"))
# Credentials do not live longer.
SESSION_SECONDS = types.seconds(1, 43200)
# Objects of these classes must be restored before they can be read or copied.
ARCHIVES = ("Archive", "ColdArchive", "DeepColdArchive")
IN_AN_ARCHIVE = tuple(f"storage_class={name}" for name in ARCHIVES)
BY_ALIYUN = ("hold=check", f"check_by={green.ALIYUN}")


class Option(NamedTuple):
    """
    Option of a profile.

    Args:
        default: as it would be written; ``None`` if an absent option has no value.
        is_for_pages: True if a ``{filename}`` profile may have it. Its page sends none of our fields, so
            nothing else could be enforced.
        pins: the form field, under OSS's name, that carries the value.
        needs, excludes: conditions: another option, ``name=value`` or alternatives joined by ``|``.
        needs_owner: True if it needs ``{owner}`` directly after the literal folder of the key, and callers
            who are told apart.
    """

    name: str
    type: Type
    default: Any = None
    is_needed: bool = False
    is_for_pages: bool = False
    pins: str = ""
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    needs_setting: str = ""
    needs_owner: bool = False


def _hold(value: Any) -> tuple[str, ...]:
    if value not in ([COMMIT], [CHECK], [COMMIT, CHECK]):
        raise ValueError
    return tuple(value)


OPTIONS = (
    # For people: ``manage.py serve`` and the playground show it.
    Option("title", types.TITLE, is_for_pages=True),
    Option("max_size", types.size("1", "48GiB"), is_needed=True, is_for_pages=True),
    Option("min_size", types.size("0", "5GiB"), 1, is_for_pages=True),
    Option(
        "content_types",
        types.list_of(
            # No browser and no phone sends image/jpg, so it would admit nothing.
            r"\*/\*|(?!image/jpg$)[a-z0-9][a-z0-9.+_-]*/(\*|[a-z0-9][a-z0-9.+_-]*)",
            Message("a list of type/subtype, type/* or */*, in lower case, such as image/jpeg"),
        ),
        is_needed=True,
        is_for_pages=True,
    ),
    Option("expires_in", SESSION_SECONDS, 300, is_for_pages=True),
    Option("acl", types.one_of("default", "private", "public-read"), "default", pins=ACL_FIELD),
    Option("overwrite", types.FLAG, False, excludes=("hold=check", "strip")),
    Option("callback", types.FLAG, False, is_for_pages=True, needs_setting="CALLBACK_URL"),
    Option("signature", types.one_of(*SIGNATURE_VERSIONS), is_for_pages=True),
    Option("cache_control", HEADER_TYPE, pins="Cache-Control"),
    Option("content_disposition", HEADER_TYPE, pins="Content-Disposition"),
    Option("storage_class", types.one_of("Standard", "IA", *ARCHIVES), "Standard", pins=STORAGE_CLASS_FIELD),
    Option(
        "metadata",
        types.table_of(
            r"[a-z0-9][a-z0-9-]{0,63}",
            HEADER,
            Message("a table of lower-case names and ASCII texts without $, 8KiB at most"),
            fits_metadata,
        ),
        pins=META_PREFIX,
    ),
    Option("confirm", types.FLAG, False, needs_setting="TOKEN_SECRET"),
    Option("read", types.one_of("owner", "callers"), excludes=IN_AN_ARCHIVE),
    Option("read_for", SESSION_SECONDS, 600, needs=("read",)),
    Option(
        "variants",
        types.table_of(
            NAME,
            r"[\x21-\x7e]{1,1024}",
            Message("a table of names and processing commands, {most} at most", most=MAX_VARIANTS),
            lambda table: len(table) <= MAX_VARIANTS,
        ),
        needs=("read",),
    ),
    Option("parts", types.FLAG, False, needs_setting="TOKEN_SECRET"),
    Option("part_size", types.size("100KiB", "100MiB"), "1MiB", needs=("parts",)),
    Option("parts_within", types.seconds(900, 604800), 86400, needs=("parts",)),
    # The shared store counts these exactly, with room to spare.
    Option("files_per_day", types.number(1, 10**9), needs_setting="QUOTA_URL"),
    Option("bytes_per_day", types.size("1", "1048576GiB"), needs_setting="QUOTA_URL"),
    Option(
        "hold",
        Type(Message('["commit"], ["check"] or ["commit", "check"]'), _hold),
        needs=("confirm|parts|callback",),
        excludes=IN_AN_ARCHIVE,
    ),
    Option("hold_days", types.number(1, 30), 1, needs=("hold",)),
    Option("commit_by", types.one_of("backend", "owner"), "backend", needs=("hold=commit",)),
    Option("check_scene", types.number(1, 4), 1, needs=("hold=check",)),
    Option("check_by", green.CHECKERS_TYPE, [green.WECHAT], needs=("hold=check",)),
    Option("check_service", green.SERVICE_TYPE, "baselineCheck", needs=BY_ALIYUN),
    Option("check_reject", green.FAMILIES_TYPE, [*green.REJECTED], needs=BY_ALIYUN),
    Option("check_animated", types.one_of("review", "first-frame"), "review", needs=("hold=check",)),
    Option("strip", types.FLAG, False, needs=("hold",)),
    # What is in an archive cannot be read.
    Option("ai_label", types.FLAG, False, needs=("confirm|parts",), excludes=IN_AN_ARCHIVE),
    Option("list", types.FLAG, False, needs_owner=True),
    Option("delete", types.one_of("owner"), needs_owner=True),
    Option(
        "callers",
        types.list_of(NAME, Message('a list of names of callers.toml, such as ["main"]')),
        is_for_pages=True,
    ),
    Option("bucket", types.BUCKET, is_for_pages=True),
    Option("region", types.REGION, is_for_pages=True, needs=("bucket",)),
    Option("host", types.ORIGIN, is_for_pages=True),
    Option("role", types.ROLE_ARN, is_for_pages=True),
)
OPTION_NAMES = ("key", *(option.name for option in OPTIONS))
