"""
A signed URL in words: which object, until when, what OSS makes of it, whose keys, why OSS would refuse it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, unquote, urlsplit

from ops.explain.pasted import PastedUrl
from ops.explain.policy import region_problem
from ops.explain.times import expiry_line, span
from ops.terminal.language import Text
from ops.terminal.masking import printable, shown

# Source: https://help.aliyun.com/zh/oss/developer-reference/add-signatures-to-urls
LONGEST = timedelta(days=7)
LONGEST_OF_A_SESSION = timedelta(hours=12)
DATE_AHEAD = timedelta(minutes=15)
V4_FIELDS = ("x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-signature")
V1_FIELDS = ("OSSAccessKeyId", "Expires", "Signature")
# What a query may hold beside the signature, and changes what comes back.
SHOWN = ("x-oss-process", "partNumber", "uploadId", "versionId", "x-oss-traffic-limit")
TOKENS = ("x-oss-security-token", "security-token")

WORDS = {
    "signed": Text("A signed URL, version {version}", "一个已签名的 URL，签名版本 {version}"),
    "plain": Text("A URL without a signature", "一个没有签名的 URL"),
    "only_public": Text(
        'OSS answers it for objects that everybody may read (acl = "public-read"), and 403 for all others.',
        '只有任何人都可读取的对象（acl = "public-read"）能这样打开，其他对象 OSS 会返回 403。',
    ),
    "missing": Text("It lacks {name}.", "缺少 {name}。"),
    "malformed": Text("{name} cannot be read.", "{name} 无法解读。"),
    "no_token": Text(
        "The key id is a temporary one (STS.…), and its security token is not there: the URL was cut.",
        "密钥 ID 是临时的（STS.…），却没有安全令牌：URL 被截断了。",
    ),
    "days": Text(
        "x-oss-date and the day in x-oss-credential differ; OSS refuses that.",
        "x-oss-date 与 x-oss-credential 中的日期不同，OSS 会拒绝。",
    ),
    "too_long": Text(
        "It asks for {life}; OSS allows {most} at most with such keys.",
        "它要求有效 {life}；这类密钥 OSS 最多允许 {most}。",
    ),
    "future": Text(
        "It was signed {ahead} ahead of this clock; OSS refuses more than 15 minutes.",
        "签名时间比本机时钟晚 {ahead}；超过 15 分钟 OSS 会拒绝。",
    ),
    "again": Text(
        "Ask /read for a fresh one when it is needed; keep none for longer than its expiresAt.",
        "需要时重新向 /read 获取；不要保存到 expiresAt 之后。",
    ),
    "held": Text(
        "It is good for one method on this one key; nothing in its query, x-oss-process as well, can be"
        " changed, added or left out.",
        "它只对这一个 key 的一种方法有效：查询串里的任何内容（包括 x-oss-process）都不能改、加、删。",
    ),
    "session": Text(
        "It ends with the session of these keys, whatever it says.",
        "无论它写的是什么，密钥的会话一到期它就失效。",
    ),
    "remedy": Text("What to do", "怎么办"),
    "notes": Text("Also", "另外"),
}


def url_lines(pasted: PastedUrl, now: datetime, language: str) -> list[str]:
    """Describe a signed URL without calling OSS; signature and token are not shown."""
    parts = urlsplit(pasted.url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    key = unquote(parts.path.removeprefix("/"))
    is_v4 = any(name.startswith("x-oss-") and name in query for name in V4_FIELDS)
    is_signed = is_v4 or any(name in query for name in V1_FIELDS)
    title = (
        WORDS["signed"].say(language, version="4" if is_v4 else "1")
        if is_signed
        else WORDS["plain"].say(language)
    )
    key_id, *scope = query.get("x-oss-credential", query.get("OSSAccessKeyId", "")).split("/")
    rows = [("host", f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"), ("key", key)]
    rows += [(name, query[name]) for name in sorted(query) if name in SHOWN or name.startswith("response-")]
    rows += [("key id", key_id), ("region", scope[1] if len(scope) > 1 else "")]
    rows.append(("bound to", query.get("x-oss-additional-headers", "")))
    lines = [title, *(f"  {name:<10} {shown(name, value, language)}" for name, value in rows if value)]
    if not is_signed:
        return [*lines, *_block("notes", [WORDS["only_public"].say(language)], language)]
    end = _end_of(query)
    if end is not None:
        lines.append(expiry_line(end, now, language))
    problems = list(_problems(query, key_id, scope, is_v4, now, language))
    if mismatch := region_problem(pasted.url, scope):
        problems.append(mismatch.say(language))
    if end is not None and end <= now:
        problems.append(WORDS["again"].say(language))
    notes = [WORDS["held"].say(language)]
    if key_id.startswith("STS."):
        notes.append(WORDS["session"].say(language))
    return lines + _block("remedy", problems, language) + _block("notes", notes, language)


def _end_of(query: dict[str, str]) -> datetime | None:
    signed_at, life = _signed_at(query), _life(query)
    if signed_at is not None and life is not None:
        return signed_at + life
    try:
        return datetime.fromtimestamp(int(query.get("Expires", "")), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _signed_at(query: dict[str, str]) -> datetime | None:
    try:
        return datetime.strptime(query.get("x-oss-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _life(query: dict[str, str]) -> timedelta | None:
    text = query.get("x-oss-expires", "")
    return timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _problems(
    query: dict[str, str], key_id: str, scope: list[str], is_v4: bool, now: datetime, language: str
) -> Iterator[str]:
    missing = [name for name in (V4_FIELDS if is_v4 else V1_FIELDS) if not query.get(name)]
    yield from (WORDS["missing"].say(language, name=name) for name in missing)
    is_temporary = key_id.startswith("STS.")
    if is_temporary and not any(query.get(name) for name in TOKENS):
        yield WORDS["no_token"].say(language)
    if not is_v4:
        return
    signed_at, life = _signed_at(query), _life(query)
    for name, value in (("x-oss-date", signed_at), ("x-oss-expires", life)):
        if value is None and name not in missing:
            yield WORDS["malformed"].say(language, name=name)
    most = LONGEST_OF_A_SESSION if is_temporary else LONGEST
    if life is not None and not timedelta(0) < life <= most:
        yield WORDS["too_long"].say(language, life=span(life, language), most=span(most, language))
    if signed_at is not None and scope and scope[0] != f"{signed_at:%Y%m%d}":
        yield WORDS["days"].say(language)
    if signed_at is not None and signed_at > now + DATE_AHEAD:
        yield WORDS["future"].say(language, ahead=span(signed_at - now, language))


def _block(title: str, lines: list[str], language: str) -> list[str]:
    return [WORDS[title].say(language), *(f"  - {printable(line)}" for line in lines)] if lines else []
