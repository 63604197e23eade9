"""
A profile in words: what it admits, where that is stored, when it may be seen, and whose keys may do what.
"""

from collections.abc import Iterable, Iterator

from function.config.key_template import HELD_FOLDER
from function.config.profile import CHECK, COMMIT, DEFAULT_HOST, NOWHERE, BucketLocation, Profile
from function.config.profiles import read_profiles
from function.session_policy import Grant, grants_for_objects, grants_for_uploads
from ops.explain.policy import size_words
from ops.terminal.columns import padded
from ops.terminal.language import Text
from ops.terminal.masking import printable
from ops.terminal.messages import in_both

WIDTH = 12
LABELS = {
    "admits": Text("admits", "可以上传"),
    "stored": Text("stored as", "存在"),
    "place": Text("in bucket", "所在的桶"),
    "seen": Text("published", "发布"),
    "gone": Text("gone", "清理"),
    "forms": Text("form keys", "表单密钥"),
    "calls": Text("own calls", "函数自己"),
}
ADMITS = Text("{types}, {least} to {most}", "{types}，{least}～{most}")
AT_ONCE = Text("at once, with acl {acl}", "立即发布，权限 {acl}")
LATER = Text(
    "when {steps}; then it is copied to its key with acl {acl}, and what waited is deleted",
    "{steps}之后；那时复制到它的 key，权限 {acl}，暂存的那份删掉",
)
COMMITTED = {
    "backend": Text("your backend has committed it (POST /commit)", "你的后端提交（POST /commit）"),
    "owner": Text(
        "your backend or its owner has committed it (POST /commit)",
        "你的后端或上传者本人提交（POST /commit）",
    ),
}
CHECKED = Text("WeChat has let it pass (scene {scene})", "微信审核通过（scene {scene}）")
THEN = Text(", and then ", "，再由")
PRIVATE = Text(
    "{key}, private: nobody reads it there, /read neither", "{key}，私有：谁也读不到，/read 也不给"
)
AFTER = Text(
    "{days} d after it was stored, unless it is published by then; its receipt lives a day longer",
    "存下 {days} 天之后，除非已经发布；回执多活一天",
)
PLACE = Text(
    "{bucket} in {region}, at {host}; keys of {role}", "{bucket}，在 {region}，地址 {host}；密钥来自 {role}"
)
PROBLEM = Text("What is wrong", "哪里不对")
NOTHING = Text("nothing", "没有")


def profile_lines(text: str, language: str) -> list[str]:
    """
    Each profile of a ``profiles.toml``, or of a part of one.

    Args:
        text: TOML.
    """
    profiles, problems = read_profiles(text, default_signature="v4")
    lines = [line for profile in profiles.values() for line in _lines(profile, language)]
    if problems:
        lines.append(PROBLEM.say(language))
        lines += [f"  - {printable(in_both(problem.sentence).say(language))}" for problem in problems]
    return lines


def _lines(profile: Profile, language: str) -> Iterator[str]:
    rows = [("admits", _admits(profile, language)), ("stored", _stored(profile, language))]
    if profile.location != NOWHERE:
        rows.append(("place", _place(profile.location, language)))
    rows.append(("seen", _published(profile, language)))
    if profile.is_held:
        rows.append(("gone", AFTER.say(language, days=profile.hold_days)))
    rows.append(("forms", _rights(grants_for_uploads([profile]), language)))
    rows.append(("calls", _rights(grants_for_objects([profile]), language)))
    yield f"[{profile.name}]"
    for name, said in rows:
        yield f"  {padded(LABELS[name].say(language), WIDTH)} {said}"


def _admits(profile: Profile, language: str) -> str:
    return ADMITS.say(
        language,
        types=", ".join(profile.content_types),
        least=size_words(profile.min_size_bytes, language),
        most=size_words(profile.max_size_bytes, language),
    )


def _stored(profile: Profile, language: str) -> str:
    key = printable(profile.key.text)
    return PRIVATE.say(language, key=f"{HELD_FOLDER}{key}") if profile.is_held else key


def _place(place: BucketLocation, language: str) -> str:
    """Return the bucket of a profile; values left to the deployment are named by setting."""
    bucket, region = place.bucket or "OSS_BUCKET", place.region or "OSS_REGION"
    host = place.host or "OSS_HOST"
    if host == DEFAULT_HOST.format(bucket=place.bucket, region=""):
        host = DEFAULT_HOST.format(bucket=bucket, region=region)
    role = place.role_arn or "STS_ROLE_ARN"
    return PLACE.say(language, bucket=bucket, region=region, host=host, role=role)


def _published(profile: Profile, language: str) -> str:
    if not profile.is_held:
        return AT_ONCE.say(language, acl=profile.acl)
    steps = []
    if COMMIT in profile.hold:
        steps.append(COMMITTED[profile.commit_by].say(language))
    if CHECK in profile.hold:
        steps.append(CHECKED.say(language, scene=profile.check_scene))
    return LATER.say(language, steps=THEN.say(language).join(steps), acl=profile.acl)


def _rights(grants: Iterable[Grant], language: str) -> str:
    said = [
        f"{', '.join(action.removeprefix('oss:') for action in grant.actions)}"
        f" ({printable(', '.join(f'{folder}*' for folder in grant.folders))})"
        for grant in grants
    ]
    return "; ".join(said) or NOTHING.say(language)
