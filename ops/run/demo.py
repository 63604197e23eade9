"""
Upload one picture the way a mini-program does, through the local cloud, and print every step.

The client knows nothing but HTTP: it signs nothing and holds no key. PORT names the function's port.
"""

import argparse
import os
import signal
import time

import requests

from local.cloud import CALLER_KINDS, LocalCloud
from ops.run.demo_steps import Client, DemoFailed
from ops.run.host import add_host_argument, wanted_reach
from ops.run.hosting import HostingError, Plan, quiet_log, running_cloud, wanted_port
from ops.run.rules import add_rule_argument, rules_of
from ops.terminal.screen import GREEN, Screen

SUMMARY = "one upload through the local cloud, step by step, then exit"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--caller-auth", choices=CALLER_KINDS, default="wechat", help="who may ask (default: wechat)"
    )
    add_host_argument(parser)
    add_rule_argument(parser)


def run(args: argparse.Namespace) -> int:
    screen = Screen()
    # Ended from outside, it still removes its folder.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        plan = Plan(
            wanted_port(os.environ, 0),
            args.caller_auth,
            rules=rules_of(args),
            reach=wanted_reach(args.host),
        )
        with running_cloud(plan) as cloud, quiet_log():
            upload_one_file(cloud, screen)
    except (HostingError, DemoFailed) as error:
        screen.fail(str(error))
        return 1
    except KeyboardInterrupt:
        screen.fail("Interrupted.")
        return 130
    return 0


def upload_one_file(cloud: LocalCloud, screen: Screen) -> None:
    """
    Play the mini-program once, against addresses alone.

    Raises:
        DemoFailed: a step did not do what it should.
    """
    screen.title("直传演示 Direct upload, step by step")
    screen.pairs({"function": cloud.gateway.outer_origin, "OSS": cloud.oss.outer_origin})
    started = time.perf_counter()
    with requests.Session() as session:
        session.trust_env = False
        client = Client(session, screen)
        picture = client.make_picture()
        token = client.log_in(cloud)
        form = client.ask_for_form(cloud.gateway.outer_origin, token, len(picture))
        answer = client.upload(form, picture)
        client.read_back(cloud, form, picture)
        client.try_another_key(form, picture)
    seconds = time.perf_counter() - started
    screen.line()
    receipt = "with a receipt" if "receipt" in answer else "without a receipt"
    screen.line(
        screen.colour(f"✓ 完成 Done in {seconds:.2f} s", GREEN) + f", {len(picture)} bytes, {receipt}."
    )
    screen.line(
        "  文件没有经过函数，密钥没有离开函数 No file passed through the function, no secret left it."
    )
