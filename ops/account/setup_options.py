"""Options of ``setup``."""

import argparse
from typing import Any

from ops.terminal.language import Text

HELP = {
    "--account": Text(
        "account id; only a dry run needs it, to print whole ARNs",
        "账号 ID；只有演练需要它，用来打印完整的 ARN",
    ),
    "--also-trust": Text(
        "RAM user or role that may take the upload role as well, to try forms from your own machine",
        "也可扮演上传角色的 RAM 用户或角色，用来在自己的机器上试表单",
    ),
    "--contacts": Text(
        "alert contact group of CloudMonitor: each run sets alarms on the function and its buckets",
        "云监控的报警联系人组：每次运行都为函数和桶的监控指标（重新）设置告警",
    ),
    "--egress-alarm": Text(
        "with --contacts: GB that a bucket may send to the internet in a minute (default: 1)",
        "与 --contacts 一起用：一个桶每分钟的公网流出流量超过多少 GB 就告警（默认：1）",
    ),
    "--bucket-create": Text(
        "make the bucket when it is missing, and have it end stale multipart uploads",
        "桶不存在时创建，并让它清理未完成的分片上传",
    ),
    "--h5-origin": Text(
        "page that posts forms from a browser, such as https://m.example.com; gets a CORS rule",
        "从浏览器提交表单的网页，如 https://m.example.com；会为它加一条 CORS 规则",
    ),
    "--dry-run": Text("print every call and document, send nothing", "打印每个调用与文档，不发送任何请求"),
    "--json": Text(
        "the same as JSON, for deploy/terraform",
        "同上，输出 JSON，供 deploy/terraform 使用",
    ),
    "--yes": Text("make the changes without asking", "不经询问直接更改"),
}
FLAGS = ("--bucket-create", "--dry-run", "--json", "--yes")
MORE: dict[str, dict[str, Any]] = {
    "--also-trust": {"action": "append", "default": [], "metavar": "ARN"},
    "--contacts": {"metavar": "GROUP"},
    "--egress-alarm": {"type": float, "metavar": "GB"},
    "--h5-origin": {"action": "append", "default": [], "metavar": "ORIGIN"},
    **{name: {"action": "store_true"} for name in FLAGS},
}


def add_setup_arguments(parser: argparse.ArgumentParser, language: str) -> None:
    for name, text in HELP.items():
        parser.add_argument(name, help=text.say(language), **MORE.get(name, {}))
