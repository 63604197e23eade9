"""
Upload pictures the way a mini-program does, through the local cloud, and print every step.

One is stored at once and shown by a signed URL; of three more, which are held until they may be seen, one is
published, one rejected and one taken back. The client knows nothing but HTTP: it signs nothing and holds no
key. PORT names the function's port.
"""

import argparse
import os
import signal
import time
from functools import partial

import requests

from local.cloud import LocalCloud
from ops.run import demo_steps as steps
from ops.run.demo_client import Client
from ops.run.demo_held import DELAYS, publish, reject, take_back
from ops.run.hosting import (
    Hosted,
    Plan,
    deploy_samples,
    quiet_log,
    running_cloud,
    wanted_port,
)
from ops.run.rules import add_rule_argument, rules_of
from ops.terminal.language import Text, add_language_argument, chosen_language
from ops.terminal.screen import GREEN, Screen

SUMMARY = Text(
    "uploads through the local cloud, step by step, then exit", "在本地云里上传，显示每一步，然后退出"
)
ABOUT = Text(
    __doc__,
    "像小程序那样，在本地云里上传图片，并打印每一步。\n\n"
    "一张马上存好，用预签名 URL 看到；另外三张先暂存：一张发布，一张没有通过，一张丢弃。"
    "客户端只懂 HTTP：不签名，也没有密钥。PORT 是函数的端口。",
)
WORDS = {
    "samples": Text(
        "read local/demo/profiles.toml: samples of their own, not your profiles.toml",
        "已读取 local/demo/profiles.toml：这是示例，不是你的 profiles.toml",
    ),
    "title": Text("Direct upload, step by step", "直传演示"),
    "function": Text("function", "函数"),
    "done": Text(
        "✓ Done in {seconds:.2f} s, {size} bytes, with a receipt.\n"
        "  No file passed through the function, no secret left it.",
        "✓ 完成，用时 {seconds:.2f} 秒，{size} 字节，有回执。\n  文件没有经过函数，密钥没有离开函数。",
    ),
}


def add_arguments(parser: argparse.ArgumentParser, language: str = "en") -> None:
    add_rule_argument(parser, language)
    add_language_argument(parser, language)


def run(args: argparse.Namespace) -> int:
    language, screen = chosen_language(args.lang), Screen()
    # Ended from outside, it still removes its folder.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    samples = partial(show_samples, screen, language)
    plan = Plan(wanted_port(os.environ, 0), rules=rules_of(args), deploy=samples)
    with running_cloud(plan) as cloud, quiet_log():
        play(cloud, screen, language)
    return 0


def show_samples(screen: Screen, language: str, hosted: Hosted) -> None:
    """Run the samples of ``local/demo/``, and say so."""
    deploy_samples(hosted)
    screen.line(WORDS["samples"].say(language))


# One after the other, each with what the ones before have left in the client.
STEPS = (
    (Text("Choose a picture", "选图"), steps.choose_picture),
    (Text("Log in", "登录"), steps.log_in),
    (Text("Ask for a signed form", "要表单"), steps.ask_for_form),
    (Text("Upload straight to OSS", "直传 OSS"), steps.upload),
    (Text("Confirm: the function asks OSS what is there", "确认：函数去问 OSS 存下了什么"), steps.confirm),
    (
        Text("Show it: a private picture by a signed URL", "看图：私有的图片用预签名 URL 看"),
        steps.show_picture,
    ),
    (
        Text("Try to cheat: the same form, another name", "试着越权：同一份表单，换一个名字"),
        steps.try_another_key,
    ),
    (
        Text(
            "Hold it until it may be seen: a post, committed, checked, published",
            "先审后发：暂存，提交，审核，发布",
        ),
        publish,
    ),
    (Text("Another is rejected, and its bytes are gone", "另一张没有通过，内容也没有了"), reject),
    (Text("A third is chosen and taken back", "第三张选了又不要了"), take_back),
)


def play(cloud: LocalCloud, screen: Screen, language: str = "en") -> None:
    """Play the mini-program once, against addresses alone; raise ``DemoFailed`` if a step goes wrong."""
    screen.title(WORDS["title"].say(language))
    screen.pairs({WORDS["function"].say(language): cloud.gateway.outer_origin, "OSS": cloud.oss.outer_origin})
    cloud.wechat.checks.delays = DELAYS
    started = time.perf_counter()
    with requests.Session() as session:
        session.trust_env = False
        client = Client(cloud, session, screen, language)
        for number, (title, step) in enumerate(STEPS, 1):
            screen.line()
            screen.title(f"{number}/{len(STEPS)} {title.say(language)}")
            step(client)
    seconds = time.perf_counter() - started
    screen.line()
    screen.line(screen.colour(WORDS["done"].say(language, seconds=seconds, size=len(client.picture)), GREEN))
