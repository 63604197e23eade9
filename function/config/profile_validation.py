"""What the options of one profile must not say together: a clause for each contradiction."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import permutations
from typing import Any

from function.config.content_types import is_run_by_browsers
from function.config.key_template import HELD_FOLDER, MAX_KEY_BYTES, PLACEHOLDERS, KeyTemplate, held_name
from function.config.messages import Message
from function.config.profile import (
    CHECK,
    COMMIT,
    FORM,
    HELD,
    MAX_FORM_BYTES,
    PAGE,
    UPLOAD_ID_METADATA,
    BucketLocation,
    Profile,
)
from function.config.profile_options import ANY_TYPE, OPTION_NAMES, PAGE_OPTION_NAMES
from function.config.types import MAX_METADATA_BYTES, metadata_bytes

MAX_PARTS = 10_000
# What WeChat's mediaCheckAsync looks at.
CHECKED_TYPES = ("image", "audio")
CLASSES_TO_RESTORE = ("Archive", "ColdArchive", "DeepColdArchive")


def strangers(table: Mapping[str, Any], is_page: bool) -> Iterator[Message]:
    """Options that such a profile does not have."""
    allowed = PAGE_OPTION_NAMES if is_page else OPTION_NAMES
    for option in sorted(set(table) - set(allowed)):
        kind = (
            Message("a profile whose key ends in {{filename}}")
            if option in OPTION_NAMES
            else Message("a profile")
        )
        names = ", ".join(sorted(allowed))
        yield Message(
            "{option} is no option of {kind}; allowed: {names}", option=option, kind=kind, names=names
        )


def contradictions(table: Mapping[str, Any], values: Mapping[str, Any], is_page: bool) -> Iterator[Message]:
    """
    What is wrong with options each of which is right.

    Args:
        table: what the file holds.

        values: of the options that can be read.
    """
    yield from _size_contradictions(table, values)
    if "region" in table and "bucket" not in table:
        yield Message("region needs bucket: OSS_BUCKET is where OSS_REGION says")
    if is_page and values.get("content_types", ANY_TYPE) != ANY_TYPE:
        yield Message(
            'content_types must be ["*/*"] where key ends in {{filename}}: no form field pins the type'
        )
    if "{sha256}" in str(table.get("key")):
        yield from _digest_contradictions(table, values)
    if not is_page:
        yield from _reading_contradictions(table, values)
        yield from _parts_contradictions(table, values)
        yield from _quota_contradictions(values)
        yield from _what_needs_hold(table, values)
        if values.get("hold"):
            yield from _hold_contradictions(table, values)


def _size_contradictions(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Message]:
    least, most = values.get("min_size", 0), values.get("max_size", 0)
    if least > most > 0:
        yield Message("min_size ({least}) must not be over max_size ({most})", least=least, most=most)
    if most > MAX_FORM_BYTES and not values.get("parts"):
        yield Message(
            "max_size = {value!r} is over the 5GiB that OSS takes in one form; more needs parts = true",
            value=table["max_size"],
        )


def _quota_contradictions(values: Mapping[str, Any]) -> Iterator[Message]:
    most, daily = values.get("max_size", 0), values.get("bytes_per_day")
    if daily and daily < most:
        yield Message("bytes_per_day ({daily}) must not be under max_size ({most})", daily=daily, most=most)


def _reading_contradictions(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Message]:
    for option in ("read_for", "variants"):
        if option in table and "read" not in table:
            yield Message(
                '{option} needs read = "owner" or "callers": nothing else asks for it', option=option
            )
    if values.get("read") == "owner" and "{owner}" not in str(table.get("key")):
        yield Message('read = "owner" needs {{owner}} in key: nothing else tells whose an object is')
    if values.get("read") and values.get("storage_class") in CLASSES_TO_RESTORE:
        yield Message(
            "read excludes storage_class = {value!r}: OSS shows nothing of it before it is restored",
            value=values["storage_class"],
        )


def _digest_contradictions(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Message]:
    # Who lies about a digest harms nobody else where each has a folder of their own.
    if "{owner}" not in str(table.get("key")) or values.get("confirm") is False:
        yield Message("key with {{sha256}} needs {{owner}} and confirm = true")
    if values.get("parts"):
        yield Message("key with {{sha256}} excludes parts = true")


def _parts_contradictions(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Message]:
    if not values.get("parts"):
        for option in ("part_size", "parts_within"):
            if option in table:
                yield Message("{option} needs parts = true: nothing else asks for it", option=option)
        return
    most, part_size = values.get("max_size", 0), values.get("part_size", MAX_FORM_BYTES)
    if most > part_size * MAX_PARTS:
        yield Message(
            "max_size ({most}) is over {count} parts of part_size ({part_size}): OSS takes no more parts",
            most=most,
            count=MAX_PARTS,
            part_size=part_size,
        )
    yield from _room_for_the_id(values, "parts = true")


def _room_for_the_id(values: Mapping[str, Any], option: str) -> Iterator[Message]:
    metadata, name = values.get("metadata", {}), UPLOAD_ID_METADATA
    longest_id = "x" * PLACEHOLDERS["id"][1]
    if name in metadata:
        yield Message(
            "metadata.{name} is where {option} keeps the id of the upload", name=name, option=option
        )
    elif metadata_bytes({**metadata, name: longest_id}) > MAX_METADATA_BYTES:
        yield Message(
            "metadata leaves no room for the upload's id, which {option} keeps with it", option=option
        )


def _what_needs_hold(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Message]:
    hold = values.get("hold", (COMMIT, CHECK))
    if "hold_days" in table and not hold:
        yield Message("hold_days needs hold: nothing else waits")
    if "commit_by" in table and COMMIT not in hold:
        yield Message('commit_by needs "commit" in hold: nothing else is committed')
    if "check_scene" in table and CHECK not in hold:
        yield Message('check_scene needs "check" in hold: nothing else is checked')


def _hold_contradictions(table: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[Message]:
    key = str(table.get("key"))
    if not any(values.get(option, True) for option in ("confirm", "parts", "callback")):
        yield Message("hold needs confirm, parts or callback = true: nothing else tells what has been stored")
    # Records of our own have such names, below the same folder.
    if key.startswith("."):
        yield Message("key must not start with . where there is hold")
    if KeyTemplate(key).longest_bytes <= MAX_KEY_BYTES < KeyTemplate(held_name(key)).longest_bytes:
        yield Message("key leaves no room for {folder}, where hold keeps what waits", folder=HELD_FOLDER)
    if values.get("storage_class") in CLASSES_TO_RESTORE:
        yield Message(
            "hold excludes storage_class = {value!r}: OSS copies nothing of it before it is restored",
            value=values["storage_class"],
        )
    if values.get("max_size", 0) > MAX_FORM_BYTES:
        yield Message("hold excludes max_size over 5GiB: OSS may not publish more in one copy")
    if not values.get("parts"):
        yield from _room_for_the_id(values, "hold")
    if CHECK in values["hold"]:
        yield from _check_contradictions(values)


def _check_contradictions(values: Mapping[str, Any]) -> Iterator[Message]:
    for kind in values.get("content_types", ()):
        if kind.partition("/")[0] not in CHECKED_TYPES or is_run_by_browsers(kind):
            yield Message(
                "content_types has {kind!r}, which WeChat does not check; {allowed} only, and no SVG",
                kind=kind,
                allowed=", ".join(f"{name}/*" for name in CHECKED_TYPES),
            )
    if values.get("overwrite"):
        yield Message(
            'hold with "check" excludes overwrite = true: what was checked could be replaced meanwhile'
        )


def contradictions_between(
    profiles: Collection[Profile], home: BucketLocation
) -> Iterator[tuple[str, Message]]:
    """
    What profiles must not say together, each of which is right.

    Args:
        home: the place of those that name none of their own.

    Returns:
        the name of a profile, and the clause that says what is wrong with it.
    """
    yield from _shared_folders(profiles)
    yield from _buckets_in_two_regions(profiles, home)


def _shared_folders(profiles: Iterable[Profile]) -> Iterator[tuple[str, Message]]:
    """
    Folders that two profiles must not share.

    In one bucket: the session may set ACLs where forms pin one, so a page that chooses its own key (and sends
    its own ACL, which no condition of its form forbids) could make an object there public. And whoever may
    write where others publish what they held back could publish without their steps.

    In two buckets: ``/read`` is asked for a key, and nothing in it tells the bucket.
    """
    for profile, other in permutations(profiles, 2):
        ours, theirs = profile.key.literal_folder, other.key.literal_folder
        if not (ours.startswith(theirs) or theirs.startswith(ours)):
            continue
        told = {"ours": ours, "theirs": theirs, "other": other.name}
        buckets = profile.location.bucket, other.location.bucket
        if buckets[0] != buckets[1]:
            # Without settings nobody knows in which one a profile is that names none.
            if profile.read and all(buckets):
                clause = Message(
                    "read needs a folder of its own; {ours} overlaps {theirs} of [{other}] in another bucket,"
                    " and a key does not tell its bucket",
                    **told,
                )
                yield profile.name, clause
        elif profile.kind == PAGE != other.kind:
            clause = Message(
                "key with {{filename}} needs a folder of its own; {ours} overlaps {theirs} of [{other}]",
                **told,
            )
            yield profile.name, clause
        elif (profile.kind, other.kind) == (HELD, FORM):
            clause = Message(
                "hold needs a folder of its own; {ours} overlaps {theirs} of [{other}], without hold", **told
            )
            yield profile.name, clause


def _buckets_in_two_regions(
    profiles: Iterable[Profile], home: BucketLocation
) -> Iterator[tuple[str, Message]]:
    regions = {home.bucket: home.region}
    for profile in profiles:
        location = profile.location
        # Where nobody has said a region, as without settings, there is nothing to compare.
        if location.region and regions.setdefault(location.bucket, location.region) != location.region:
            clause = Message(
                "bucket {bucket} would be in {region}, and is in {other} already",
                bucket=location.bucket,
                region=location.region,
                other=regions[location.bucket],
            )
            yield profile.name, clause
