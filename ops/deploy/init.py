"""
Write .env and profiles.toml of a new deployment, of several callers callers.toml too: asks for the bucket,
the mini-program and the features.

The secret of the mini-program comes from WECHAT_SECRET or a prompt, so that no shell keeps it. A file that is
there stays.
"""

import argparse
import getpass
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from function.config.profiles import PROFILES_TOML
from ops.deploy.callers import CALLERS_TOML, SEVERAL
from ops.deploy.features import FEATURES
from ops.deploy.new_files import (
    CALLER_KINDS,
    WECHAT,
    Answers,
    callers_text,
    env_text,
    profiles_text,
)
from ops.deploy.regions import REGIONS, nearest
from ops.terminal.language import Failure, Text, add_language_argument, chosen_language, why_unreadable
from ops.terminal.screen import Screen

SUMMARY = Text("write .env and profiles.toml by asking", "按提问填写，生成 .env 和 profiles.toml")
ABOUT = Text(
    __doc__,
    "为新的部署写好 .env 和 profiles.toml（多个调用者时还有 callers.toml）：问桶、小程序和要用的功能。\n\n"
    "小程序的密钥取自 WECHAT_SECRET 或当场输入，不进命令历史。"
    "已有的文件不动。",
)
ROOT = Path(__file__).resolve().parents[2]
ENV = ".env"
OWN_FILES = (ENV, PROFILES_TOML, CALLERS_TOML)
APP_ID, APP_SECRET = r"wx[0-9a-f]{16}", r"[0-9a-f]{32}"
MAINLAND = r"cn-(?!hongkong)[a-z0-9-]+"
LATER = "-"
SHAPES = {
    # As the function reads them.
    "bucket": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "region": r"(?!oss-)[a-z]{2,3}(-[a-z0-9]+)+",
    "appid": APP_ID,
    "secret": rf"{APP_SECRET}|{LATER}",
    "ai_label_code": rf"[0-9A-Z]{{27}}|{LATER}",
}
# Asked one after the other.
ASKED = ("bucket", "region", "appid", "secret", "features", "ai_label_code")
# Filled in later where nobody answers.
MAY_WAIT = ("secret", "ai_label_code")
USUAL_FEATURES = "avatar,pictures"
QUESTIONS = {
    "bucket": Text("bucket (made by setup if it is not there)", "桶名（还没有的话，setup 会建）"),
    "region": Text("region, such as cn-hangzhou", "地域，如 cn-hangzhou"),
    "appid": Text("AppID of the mini-program (wx…)", "小程序的 AppID（wx…）"),
    "secret": Text(
        "its AppSecret (not shown; Enter: later, in .env)", "它的 AppSecret（不显示；回车：以后填进 .env）"
    ),
    "features": Text("features, of {names}", "要哪些功能：{names}"),
    "ai_label_code": Text(
        "your code in labels of AI-made content, 27 characters (Enter: none)",
        "写进生成合成标识的你的编码，27 位（回车：不写）",
    ),
}
WRONG = {
    "bucket": Text(
        "bucket: 3 to 63 lower-case letters, digits and hyphens", "桶名应为 3 到 63 个小写字母、数字、连字符"
    ),
    "region": Text(
        "region: OSS has no {region}; near it: {names} (a newer one goes into .env by hand)",
        "OSS 没有地域 {region}；相近的有：{names}（新开的地域请手动写进 .env）",
    ),
    "appid": Text("appid: wx and 16 of 0-9, a-f", "AppID 应为 wx 加 16 位 0-9、a-f"),
    "secret": Text("WECHAT_SECRET: 32 of 0-9, a-f", "WECHAT_SECRET 应为 32 位 0-9、a-f"),
    "features": Text("features: only {names}", "功能只有：{names}"),
    "ai_label_code": Text("AI_LABEL_CODE: 27 of 0-9, A-Z", "AI_LABEL_CODE 应为 27 位 0-9、A-Z"),
    "missing": Text("--yes needs --{option}", "用 --yes 时要给出 --{option}"),
    "unanswered": Text(
        "no answer: run it in a terminal, or give --yes, {options}",
        "没有输入：请在终端里运行，或者用选项给出：--yes, {options}",
    ),
    "swapped": Text(
        "appid and WECHAT_SECRET are swapped: the AppID begins with wx",
        "AppID 和 AppSecret 写反了：wx 开头的是 AppID",
    ),
    "exists": Text(
        "{file} is there already and stays; nothing was written (for a new one move it away first)",
        "{file} 已经存在，不动它；什么也没有写（要重新生成，先把它改名）",
    ),
    "unwritable": Text("{file} cannot be written: {why}", "无法写入 {file}：{why}"),
}
NEW_ACCOUNT = Text(
    "An account that opened OSS on or after 20 March 2025 needs a domain bound to the bucket in {region}"
    " (docs/deploy.md); regions outside the mainland, such as cn-hongkong or ap-southeast-1, work at once.",
    "2025 年 3 月 20 日或之后开通 OSS 的账号，在 {region} 要给桶绑定域名（docs/deploy.zh-CN.md）；"
    "中国内地以外的地域（如 cn-hongkong、ap-southeast-1）马上就能用。",
)
WROTE = Text("{name} is written", "已写好 {name}")
NEXT = Text("Next, on this machine: make run", "下一步，先在本机试：make run")
DEPLOY = Text(
    "Then, with the cloud's keys exported (docs/deploy.md): python3 manage.py setup --bucket-create",
    "然后导出云账号的密钥（docs/deploy.zh-CN.md），运行：python3 manage.py setup --bucket-create",
)
HELP = {
    "yes": Text("ask nothing; the options say it all", "什么也不问，全部由选项给出"),
    "caller_auth": Text("who may upload (default: wechat)", "谁可以上传（默认：wechat）"),
}


class Asking(NamedTuple):
    """Where to write, and how to ask a person; ``EOFError`` where nobody answers."""

    folder: Path = ROOT
    environ: Mapping[str, str] = os.environ
    line: Callable[[str], str] = input
    secret: Callable[[str], str] = getpass.getpass


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    names = ", ".join(FEATURES)
    parser.add_argument("--yes", action="store_true", help=HELP["yes"].say(language))
    for name in ("bucket", "region", "appid", "features"):
        parser.add_argument(f"--{name}", default="", help=QUESTIONS[name].say(language, names=names))
    parser.add_argument("--ai-label-code", default="", help=QUESTIONS["ai_label_code"].say(language))
    parser.add_argument(
        "--caller-auth", choices=CALLER_KINDS, default=WECHAT, help=HELP["caller_auth"].say(language)
    )
    add_language_argument(parser, language)


def run(args: argparse.Namespace, asking: Asking | None = None) -> int:
    language, screen, asking = chosen_language(args.lang), Screen(), asking or Asking()
    try:
        if mine := [name for name in OWN_FILES if (asking.folder / name).exists()]:
            raise Failure(*(WRONG["exists"].filled(file=name) for name in mine))
        answers = _answers(args, asking, screen, language)
        texts = _write(asking.folder, answers, language)
    except Failure as failure:
        Screen(sys.stderr).fail_with(failure, language)
        return 1
    except EOFError:
        Screen(sys.stderr).fail(
            WRONG["unanswered"].say(language, options="--bucket, --region, --appid, --features")
        )
        return 1
    for name in texts:
        screen.good(WROTE.say(language, name=name))
    if re.fullmatch(MAINLAND, answers.region):
        screen.warn(NEW_ACCOUNT.say(language, region=answers.region))
    screen.line(NEXT.say(language))
    screen.line(DEPLOY.say(language))
    return 0


def _answers(args: argparse.Namespace, asking: Asking, screen: Screen, language: str) -> Answers:
    given = {name: getattr(args, name).strip() for name in ASKED if name != "secret"}
    given["secret"] = asking.environ.get("WECHAT_SECRET", "").strip()
    for name in ASKED:
        if name in ("appid", "secret") and args.caller_auth not in (WECHAT, SEVERAL):
            continue
        if name == "ai_label_code" and "ai-label" not in (_features(given["features"]) or ()):
            continue
        while problem := _problem(name, given, is_silent=args.yes):
            if args.yes:
                raise Failure(problem)
            if given[name]:
                screen.fail(problem.say(language))
            given[name] = _asked(name, asking, language)
    secret, code = ("" if given[name] == LATER else given[name] for name in MAY_WAIT)
    features = _features(given["features"]) or []
    return Answers(given["bucket"], given["region"], args.caller_auth, given["appid"], secret, features, code)


def _asked(name: str, asking: Asking, language: str) -> str:
    question = QUESTIONS[name].say(language, names=_names(language))
    colon = "：" if language == "zh" else ": "
    if name in MAY_WAIT:
        # Enter alone leaves it to be filled in.
        ask = asking.secret if name == "secret" else asking.line
        return ask(question + colon).strip() or LATER
    usual = f" [{USUAL_FEATURES}]" if name == "features" else ""
    return asking.line(question + usual + colon).strip() or (USUAL_FEATURES if usual else "")


def _problem(name: str, given: Mapping[str, str], *, is_silent: bool) -> Text | None:
    """Return what is wrong with an answer; without a question what may wait is filled in later."""
    value = given[name]
    if not value:
        return None if name in MAY_WAIT and is_silent else WRONG["missing"].filled(option=name)
    pair = {"appid": (APP_SECRET, "secret"), "secret": (APP_ID, "appid")}
    if name in pair and re.fullmatch(pair[name][0], value):
        return WRONG["swapped"]
    if name == "region" and value not in REGIONS:
        return WRONG["region"].filled(region=value, names=", ".join(nearest(value)))
    is_fit = _features(value) is not None if name == "features" else re.fullmatch(SHAPES[name], value)
    return None if is_fit else WRONG[name].filled(names=", ".join(FEATURES))


def _features(text: str) -> list[str] | None:
    """Return the names of the features, which may be given in Chinese as well; ``None`` if one is none."""
    known = {**{name: name for name in FEATURES}, **{each.title.zh: name for name, each in FEATURES.items()}}
    known["图片"] = "pictures"
    asked = [part.strip() for part in re.split(r"[,，、 ]+", text) if part.strip()]
    return [known[part] for part in asked] if all(part in known for part in asked) else None


def _names(language: str) -> str:
    if language == "zh":
        return "、".join(f"{name} {each.title.zh}" for name, each in FEATURES.items())
    return ", ".join(FEATURES)


def _write(folder: Path, answers: Answers, language: str) -> list[str]:
    """Write all or none, and return their names; nobody but the owner may ever read ``.env``."""
    texts = {ENV: env_text, PROFILES_TOML: profiles_text, CALLERS_TOML: callers_text}
    names, done = [*texts][: 3 if answers.caller_auth == SEVERAL else 2], []
    try:
        for name in names:
            mode = 0o600 if name == ENV else 0o666
            opened = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            with os.fdopen(opened, "w", encoding="utf-8") as file:
                file.write(texts[name](answers, language))
            done.append(name)
    except OSError as error:
        for each in done if done != names else ():
            (folder / each).unlink()
        raise Failure(WRONG["unwritable"].filled(file=name, why=why_unreadable(error))) from None
    return names
