"""The deployment that is live, against the one that is to come: what would be lost, in a sentence each."""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from function.config.profile import BucketLocation, Profile
from function.config.profiles import PROFILES_TOML, read_profiles
from ops.deploy.callers import CALLERS_TOML, SEVERAL, callers_of, entries_in
from ops.deploy.cli import CliFailed
from ops.deploy.live import Live
from ops.deploy.s_yaml import environment, mapping
from ops.deploy.target import Target
from ops.terminal.language import Text

# Copies of what was deployed, for keys that may not read a package.
KEPT = Path("build", "live")
OWN_FILES = (PROFILES_TOML, CALLERS_TOML)
ANONYMOUS, ANY_ISSUER = "anonymous", "jwt:"
WORDS = {
    "unread_file": Text(
        "Not compared: {name} of version {version} ({why}: fc:GetFunctionCode; no copy in {folder}).",
        "没有比较：版本 {version} 的 {name}（{why}：fc:GetFunctionCode），{folder} 里也没有副本。",
    ),
    "odd_profiles": Text(
        "Not compared: profiles of version {version} that this version cannot read: {names}.",
        "没有比较：版本 {version} 里本版本读不懂的用途：{names}。",
    ),
    "unread_settings": Text(
        "Not compared: the settings of version {version} ({why}: fc:GetFunction).",
        "没有比较：版本 {version} 的设置（{why}：fc:GetFunction）。",
    ),
    "went": Text(
        "[{name}] is live and no longer in profiles.toml: what is stored could not be read, listed, deleted"
        " or published any more.",
        "[{name}] 正在线上使用，profiles.toml 里却没有了：已存的对象将无法读取、列出、删除或发布。",
    ),
    "changed": Text(
        "[{name}] {option} is {before} live, and would be {after}: what is stored would no longer be found,"
        " or be published or removed sooner.",
        "[{name}] 的 {option} 线上是 {before}，将变成 {after}：已存的对象会找不到，或提前发布、清理。",
    ),
    "owners": Text(
        "{setting} would move every owner: nobody would find own objects. Another secret needs the live one"
        " as OWNER_SECRET (docs/operations.md).",
        "{setting} 的改动会换掉所有用户的目录名，谁也找不到自己的对象。"
        "换密钥时要把线上的写进 OWNER_SECRET（docs/operations.zh-CN.md）。",
    ),
    "callers": Text(
        "The owners of {id}, which is live, would move: nobody would find own objects. One caller goes on"
        ' among several with owners = "unnamed", and alone again only with it (docs/callers.md).',
        "{id} 正在线上使用，它的用户目录名会变，谁也找不到自己的对象。从一个变成多个，原来的那个要写"
        ' owners = "unnamed"；变回一个，只能留下写了它的（docs/callers.zh-CN.md）。',
    ),
    "went_caller": Text(
        "{id} is live and goes: its sessions end, its objects stay (docs/callers.md).",
        "{id} 正在线上使用，这次去掉：它的会话失效，对象留着（docs/callers.zh-CN.md）。",
    ),
    "receipts": Text(
        "A first RECEIPT_SECRET needs the live TOKEN_SECRET behind it (new,old): receipts that are out there"
        " would be refused.",
        "第一次设置 RECEIPT_SECRET，要把线上的 TOKEN_SECRET 写在后面（new,old）：否则已发出的回执会被拒绝。",
    ),
}


def compare(target: Target, live: Live, info: Mapping[str, Any]) -> tuple[list[Text], list[Text]]:
    """
    Return what would be lost, and what is worth a line: what could not be compared, and callers that go.

    Args:
        info: of the function as it was last deployed, for keys that may not read a version.
    """
    own = environment(target.props)
    texts, settings, why = _read(target, live)
    texts = texts or _texts(_kept(target, live.version))
    settings = settings or mapping(info.get("environmentVariables"))
    values = {"version": live.version, "why": why, "folder": KEPT}
    known = OWN_FILES[: 1 + (settings.get("CALLER_AUTH") == SEVERAL)]
    notes = [WORDS["unread_file"].filled(name=name, **values) for name in known if name not in texts]
    if not settings:
        notes.append(WORDS["unread_settings"].filled(version=live.version, why=why))
    before, odd = profiles_of(texts.get(PROFILES_TOML, ""), settings or own)
    if odd and PROFILES_TOML in texts:
        notes.append(WORDS["odd_profiles"].filled(version=live.version, names=", ".join(odd)))
    own_texts = _texts({name: target.folder / name for name in OWN_FILES})
    after, _ = profiles_of(own_texts.get(PROFILES_TOML, ""), own)
    sides = (settings, texts), (own, own_texts)
    moved, gone = changes_of_callers(
        *(callers_of(each, entries_in(read.get(CALLERS_TOML, ""))) for each, read in sides)
    )
    return [*changes_of_profiles(before, after), *changes_of_settings(settings, own), *moved], [*notes, *gone]


def keep(target: Target, version: str) -> None:
    """Keep a copy of the profiles and callers that this version has; of the latter no secret."""
    for name, place in _kept(target, version).items():
        if (own := target.folder / name).is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(own.read_bytes())


def _texts(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: file.read_text("utf-8") for name, file in files.items() if file.is_file()}


def changes_of_profiles(before: Mapping[str, Profile], after: Mapping[str, Profile]) -> Iterator[Text]:
    for name, old in before.items():
        if (new := after.get(name)) is None:
            yield WORDS["went"].filled(name=name)
            continue
        rows = {
            "key": (old.key.text, new.key.text, old.key.text != new.key.text),
            "bucket": (old.location.bucket, new.location.bucket, old.location.bucket != new.location.bucket),
            "hold": ([*old.hold], [*new.hold], not set(old.hold) <= set(new.hold)),
            "hold_days": (old.hold_days, new.hold_days, bool(old.hold) and new.hold_days < old.hold_days),
        }
        for option, (was, will, is_lost) in rows.items():
            if is_lost:
                yield WORDS["changed"].filled(name=name, option=option, before=was, after=will)


def changes_of_settings(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Text]:
    if before.get("CALLER_AUTH", ANONYMOUS) != ANONYMOUS and _owner_secret(before) != _owner_secret(after):
        yield WORDS["owners"].filled(setting="OWNER_SECRET" if after.get("OWNER_SECRET") else "TOKEN_SECRET")
    signed = set(_secrets(before, "TOKEN_SECRET"))
    is_first = after.get("RECEIPT_SECRET") and not before.get("RECEIPT_SECRET")
    if is_first and signed and not signed & set(_secrets(after, "RECEIPT_SECRET")):
        yield WORDS["receipts"]


def changes_of_callers(
    before: Mapping[str, bool], after: Mapping[str, bool]
) -> tuple[list[Text], list[Text]]:
    """Return a sentence for each caller whose owners would move, and for each of several that goes."""
    moved, gone = [], []
    for one, is_unnamed in before.items():
        # One issuer need not be named, and may get another name.
        is_any = ANY_ISSUER in (one, *after) or len(before) == len(after) == 1
        same = [
            flag
            for each, flag in after.items()
            if each == one or is_any and each[:4] == one[:4] == ANY_ISSUER
        ]
        if is_unnamed in same or one == f"{ANONYMOUS}:":
            continue
        if same or is_unnamed:
            moved.append(WORDS["callers"].filled(id=one))
        else:
            gone.append(WORDS["went_caller"].filled(id=one))
    return moved, gone


def _secrets(settings: Mapping[str, str], name: str) -> list[str]:
    return [each.strip() for each in (settings.get(name) or "").split(",") if each.strip()]


def _owner_secret(settings: Mapping[str, str]) -> str:
    return settings.get("OWNER_SECRET") or "".join(_secrets(settings, "TOKEN_SECRET")[-1:])


def _read(target: Target, live: Live) -> tuple[dict[str, str], dict[str, str], str]:
    """Return own files and settings of the live version as the tool hands them out, and why not."""
    name, region = (str(target.props.get(one, "")) for one in ("functionName", "region"))
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        there = Path(folder, "version")
        options = {"--region": region, "--function-name": name, "--qualifier": live.version}
        try:
            target.cli.change("sync", *sum(options.items(), ()), "--target-dir", str(there))
        except CliFailed as error:
            return {}, {}, error.code or "sync"
        found = (_environment(yaml.safe_load(file.read_text("utf-8"))) for file in there.glob("*.yaml"))
        texts = _texts({name: path for name in OWN_FILES for path in there.rglob(name)})
        return texts, next(filter(None, found), {}), "sync"


def _environment(content: Any) -> dict[str, str]:
    """Return the variables of the function, wherever this version of the tool writes them."""
    inner = mapping(content)
    found = (_environment(value) for value in inner.values())
    own = mapping(inner.get("environmentVariables")) or next(filter(None, found), {})
    return {name: str(value) for name, value in own.items()}


def profiles_of(text: str, settings: Mapping[str, str]) -> tuple[dict[str, Profile], list[str]]:
    """Return the profiles by name, and those that cannot be read."""
    home = BucketLocation(settings.get("OSS_BUCKET", ""), settings.get("OSS_REGION", ""), "", "", "", "")
    profiles, problems = read_profiles(text, default_signature="v4", home=home)
    return profiles, sorted({str(each.sentence.values.get("profile", PROFILES_TOML)) for each in problems})


def _kept(target: Target, version: str) -> dict[str, Path]:
    place = target.folder / KEPT / f"{target.props.get('functionName')}-{version}"
    return dict(zip(OWN_FILES, map(place.with_suffix, (".toml", ".callers.toml")), strict=True))
