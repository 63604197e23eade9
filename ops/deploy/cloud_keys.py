"""
Whether the deployment tool will find a key of the cloud: it looks only after it has begun, and then stumbles.

Source: s 3.1.10, which prefers the three variables to a key pair that ``s config add`` keeps.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from ops.deploy.profile_lines import after
from ops.deploy.s_yaml import mapping
from ops.terminal.language import Text

KEY_NAMES = ("AccountID", "AccessKeyID", "AccessKeySecret")
NAMED_KEY = "_serverless_devs_key"
IS_AN_EXAMPLE = Text("is an example's; set your own", "是示例里的值，请换成你自己的")
NO_KEY = Text(
    "not set: the deployment tool finds no key of the cloud. Export AccountID, AccessKeyID and"
    " AccessKeySecret of the RAM user that deploys",
    "没有设置：部署工具找不到云账号的密钥。请导出负责部署的 RAM 用户的 AccountID、AccessKeyID 与"
    " AccessKeySecret",
)
IS_AN_ID = Text("begins like an AccessKeyID; the two are swapped", "开头像 AccessKeyID，两个值是不是填反了？")
HAS_A_BLANK = Text("has a blank; copy it again without", "里面有空白字符；请重新复制，不要带空格")
OF_ANOTHER_ACCOUNT = Text(
    "= {own}, and STS_ROLE_ARN is of account {other}; export the AccountID of that one, or run"
    " `manage.py setup` with the keys of this one",
    "= {own}，而 STS_ROLE_ARN 属于账号 {other}；请导出那个账号的 AccountID，"
    "或用这个账号的密钥运行 `manage.py setup`",
)
# Values of .env.example and docs/tutorial.md.
EXAMPLES = {
    "OSS_BUCKET": "my-bucket",
    "STS_ROLE_ARN": "acs:ram::1234567890123456:role/oss-direct-upload",
    "AccountID": "1234567890123456",
    "AccessKeyID": "LTAI5tExample",
    "AccessKeySecret": "ExampleSecret",
    "WECHAT_APPID": "wx0123456789abcdef",
    "OSS_HOST": "https://files.example.com",
}


def missing_keys(values: Mapping[str, str], access: str) -> list[str]:
    """
    The variables to export; none where the tool finds a key.

    Args:
        values: the environment over ``.env``, which the tool loads.
        access: name of the key pair in ``s.yaml``.
    """
    missing = [name for name in KEY_NAMES if not values.get(name)]
    if not missing or (access.endswith(NAMED_KEY) and values.get(access)):
        return []
    home = values.get("serverless_devs_config_home") or values.get("HOME")
    return [] if home and access in _kept_keys(Path(home, ".s")) else missing


def wrong_values(values: Mapping[str, str]) -> Iterator[tuple[str, Text]]:
    """Name and sentence of each value that is an example's, has a blank, or is of another account."""
    for name, example in EXAMPLES.items():
        if values.get(name) == example:
            yield name, after(f"= {example}", IS_AN_EXAMPLE)
    for name in (*KEY_NAMES, "WECHAT_APPID", "WECHAT_SECRET"):
        if re.search(r"\s", values.get(name, "")):
            yield name, HAS_A_BLANK
    if values.get("AccessKeySecret", "").startswith("LTAI"):
        yield "AccessKeySecret", IS_AN_ID
    account, other = values.get("AccountID", ""), account_of_role(values)
    if account.isdecimal() and other and other != account:
        yield "AccountID", OF_ANOTHER_ACCOUNT.filled(own=account, other=other)


def account_of_role(values: Mapping[str, str]) -> str:
    """Return the account of ``STS_ROLE_ARN``; empty where that is no ARN of a role."""
    named = re.match(r"acs:ram::(\d+):role/", values.get("STS_ROLE_ARN", ""))
    return named[1] if named else ""


def _kept_keys(folder: Path) -> dict[str, object]:
    paths = (folder / "access.yaml", folder / "access.yml")
    try:
        path = next((each for each in paths if each.exists()), paths[0])
        return mapping(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return {}
