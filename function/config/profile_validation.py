"""Rules that relate options of one profile, or several profiles."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import permutations

from function.annotations import Any
from function.config.content_types import is_run_by_browsers
from function.config.green import ALIYUN, WECHAT
from function.config.key_template import HELD_FOLDER, MAX_KEY_BYTES, PLACEHOLDERS, KeyTemplate, held_name
from function.config.profile import (
    CHECK,
    HELD,
    MAX_FORM_BYTES,
    MAX_PARTS,
    PAGE,
    RULES,
    RULES_METADATA,
    UPLOAD_ID_METADATA,
    BucketLocation,
    Profile,
    fits_metadata,
)
from function.messages import Message

ANY_TYPE = ("*/*",)
# Main types that each checker looks at.
CHECKED_TYPES = {WECHAT: ("image", "audio"), ALIYUN: ("image", "audio", "video")}


def unknown_options(
    table: Mapping[str, Any], allowed: Collection[str], known: Collection[str]
) -> Iterator[Message]:
    """Find options that such a profile, or any profile, does not have."""
    strangers = sorted(set(table) - set(allowed))
    if not strangers:
        return
    import difflib

    page, any_ = Message("a profile whose key ends in {{filename}}"), Message("a profile")
    for option in strangers:
        kind = page if option in known else any_
        near = difflib.get_close_matches(option, allowed, 1)
        names = ", ".join(near or sorted(allowed))
        if near:
            yield Message(
                "{option} is no option of {kind}; did you mean {names}?",
                option=option,
                kind=kind,
                names=names,
            )
        else:
            yield Message(
                "{option} is no option of {kind}; allowed: {names}", option=option, kind=kind, names=names
            )


def unmet_conditions(
    options: Iterable[Any], table: Mapping[str, Any], values: Mapping[str, Any]
) -> Iterator[Message]:
    """Check what the rows of the options need and exclude; ``values`` are of options that could be read."""
    for option in options:
        if option.name not in table or option.name not in values:
            continue
        for condition in option.needs:
            # An option that could not be read has its own clause.
            if not _is_met(condition, table, values, if_unread=True):
                other = condition.replace("|", " / ").replace("=", " = ")
                yield Message("{option} needs {other}", option=option.name, other=other)
        if option.needs_owner and values[option.name] and not _begins_with_owner(values["key"]):
            yield Message(
                "{option} needs {{owner}} directly after the first folder of key", option=option.name
            )
        for condition in option.excludes:
            if values[option.name] and _is_met(condition, table, values, if_unread=False):
                other = condition.replace("=", " = ")
                yield Message("{option} excludes {other}", option=option.name, other=other)


def _begins_with_owner(key: Any) -> bool:
    # A key that is no text has its own clause.
    return not isinstance(key, str) or KeyTemplate(key).begins_with_owner


def _is_met(condition: str, table: Mapping[str, Any], values: Mapping[str, Any], *, if_unread: bool) -> bool:
    names, _, wanted = condition.partition("=")
    for name in names.split("|"):
        if name in table and name not in values:
            return if_unread
        value = values.get(name)
        if value and (not wanted or wanted == value or (isinstance(value, tuple) and wanted in value)):
            return True
    return False


def within_profile(values: Mapping[str, Any], is_page: bool) -> Iterator[Message]:
    """Check how the values of one profile relate: those of options that could be read, and ``key``."""
    key = str(values["key"])
    yield from _size_problems(values)
    if is_page and values.get("content_types", ANY_TYPE) != ANY_TYPE:
        yield Message(
            'content_types must be ["*/*"] where key ends in {{filename}}: no form field pins the type'
        )
    if "{sha256}" in key:
        # In a folder of their own, a caller who sends a wrong digest harms no other caller.
        if "{owner}" not in key or values.get("confirm") is False:
            yield Message("key with {{sha256}} needs {{owner}} and confirm = true")
        if values.get("parts"):
            yield Message("key with {{sha256}} excludes parts = true")
    if is_page:
        return
    if values.get("read") == "owner" and "{owner}" not in key:
        yield Message('read = "owner" needs {{owner}} in key')
    most, part_size = values.get("max_size", 0), values.get("part_size", MAX_FORM_BYTES)
    if values.get("parts") and most > part_size * MAX_PARTS:
        yield Message(
            "max_size ({most}) is over {count} parts of part_size ({part_size})",
            most=most,
            count=MAX_PARTS,
            part_size=part_size,
        )
    if values.get("hold"):
        yield from _hold_problems(key, values)
        if values.get("strip"):
            yield from _strip_problems(key, values)
    if values.get("parts") or values.get("hold"):
        yield from _metadata_problems(values)


def _size_problems(values: Mapping[str, Any]) -> Iterator[Message]:
    least, most, daily = values.get("min_size", 0), values.get("max_size", 0), values.get("bytes_per_day")
    if least > most > 0:
        yield Message("min_size ({least}) must not be over max_size ({most})", least=least, most=most)
    if most > MAX_FORM_BYTES and not values.get("parts"):
        yield Message("max_size ({most}) is over the 5GiB of one form; more needs parts = true", most=most)
    if daily and daily < most:
        yield Message("bytes_per_day ({daily}) must not be under max_size ({most})", daily=daily, most=most)


def _hold_problems(key: str, values: Mapping[str, Any]) -> Iterator[Message]:
    # The function's own records have such names in the same folder.
    if key.startswith("."):
        yield Message("key must not start with . where there is hold")
    if KeyTemplate(key).longest_bytes <= MAX_KEY_BYTES < KeyTemplate(held_name(key)).longest_bytes:
        yield Message("key leaves no room for {folder}, the folder of held objects", folder=HELD_FOLDER)
    if values.get("max_size", 0) > MAX_FORM_BYTES:
        yield Message("hold excludes max_size over 5GiB: OSS may not publish more in one copy")
    if CHECK in values["hold"]:
        # Where WeChat checks as well, it sees the fewest types.
        checker = values.get("check_by", (WECHAT,))[-1]
        allowed = CHECKED_TYPES[checker]
        for kind in _types_but(values, allowed):
            yield Message(
                "content_types has {kind!r}, which {checker} does not check; {allowed} only, and no SVG",
                kind=kind,
                checker="WeChat" if checker == WECHAT else "Aliyun",
                allowed=", ".join(f"{name}/*" for name in allowed),
            )


def _strip_problems(key: str, values: Mapping[str, Any]) -> Iterator[Message]:
    if "{sha256}" in key:
        yield Message("strip = true excludes {{sha256}} in key: a clean picture has another digest")
    for kind in _types_but(values, ("image",)):
        yield Message("strip = true cleans pictures only, and no SVG; content_types has {kind!r}", kind=kind)


def _types_but(values: Mapping[str, Any], main_types: Collection[str]) -> list[str]:
    """Return the content types that have none of these main types, or that browsers run."""
    kinds = values.get("content_types", ())
    return [kind for kind in kinds if kind.partition("/")[0] not in main_types or is_run_by_browsers(kind)]


def _metadata_problems(values: Mapping[str, Any]) -> Iterator[Message]:
    """Check that the upload id, and of a held object the rules, fit into the metadata."""
    metadata = values.get("metadata", {})
    ours = (UPLOAD_ID_METADATA, RULES_METADATA) if values.get("hold") else (UPLOAD_ID_METADATA,)
    if taken := [name for name in ours if name in metadata]:
        yield Message("metadata.{name} is reserved for the function", name=taken[0])
    # A hash of rules is shorter than an id.
    elif not fits_metadata({**metadata, **dict.fromkeys(ours, "x" * PLACEHOLDERS["id"][1])}):
        yield Message("metadata leaves no room for the upload id")


def between_profiles(profiles: Collection[Profile], home: BucketLocation) -> Iterator[tuple[str, Message]]:
    """Check valid profiles against each other; return a clause for each fault, with the profile's name."""
    yield from _shared_folders(profiles)
    yield from _buckets_in_two_regions(profiles, home)


def _shared_folders(profiles: Iterable[Profile]) -> Iterator[tuple[str, Message]]:
    """
    Find folders that two profiles must not share.

    In one bucket: the session may set ACLs where forms pin one, so a page that chooses its own key and sends
    its own ACL could make an object there public. And a caller who may write where held objects are published
    could publish without their checks; what one hold leaves to a human, a weaker one could publish.

    In two buckets: ``/read`` and ``/delete`` get a key, which does not name its bucket.
    """
    for profile, other in permutations(profiles, 2):
        ours, theirs = profile.key.literal_folder, other.key.literal_folder
        if not (ours.startswith(theirs) or theirs.startswith(ours)):
            continue
        values = {"ours": ours, "theirs": theirs, "other": other.name}
        buckets = profile.location.bucket, other.location.bucket
        if buckets[0] != buckets[1]:
            # Without settings the bucket of a profile that names none is unknown.
            option = "read" if profile.read else "delete" if profile.delete else ""
            if option and all(buckets):
                clause = Message(
                    "{option} needs a folder of its own; {ours} overlaps {theirs} of [{other}] in another"
                    " bucket, and a key does not tell its bucket",
                    option=option,
                    **values,
                )
                yield profile.name, clause
        elif profile.kind == PAGE != other.kind:
            clause = Message(
                "key with {{filename}} needs a folder of its own; {ours} overlaps {theirs} of [{other}]",
                **values,
            )
            yield profile.name, clause
        elif profile.kind == HELD and profile.rules != other.rules:
            options = [option for option in RULES if getattr(profile, option) != getattr(other, option)]
            clause = Message(
                "hold needs a folder of its own; {ours} overlaps {theirs} of [{other}], which has another"
                " {options}",
                options=", ".join(options),
                **values,
            )
            yield profile.name, clause


def _buckets_in_two_regions(
    profiles: Iterable[Profile], home: BucketLocation
) -> Iterator[tuple[str, Message]]:
    regions = {home.bucket: home.region}
    for profile in profiles:
        location = profile.location
        # Without settings there is no region to compare.
        if location.region and regions.setdefault(location.bucket, location.region) != location.region:
            clause = Message(
                "bucket {bucket} would be in {region}, and is in {other} already",
                bucket=location.bucket,
                region=location.region,
                other=regions[location.bucket],
            )
            yield profile.name, clause
