"""The mistakes of a first evening, what each is told, and what it takes to make them."""

from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
REFUSED = "http://127.0.0.1:9"  # the discard port: nothing listens there
ENV = {
    "OSS_BUCKET": "photos-of-users",
    "OSS_REGION": "cn-hangzhou",
    "STS_ROLE_ARN": "acs:ram::1000000000000001:role/oss-direct-upload",
    "CALLER_AUTH": "wechat",
    "WECHAT_APPID": "wx0123456789abcdef",
    "WECHAT_SECRET": "0123456789abcdef0123456789abcdef",
    "TOKEN_SECRET": "token-secret-0123456789abcdefghi",
}
PROFILE = '[default]\nkey = "uploads/{owner}/{id}{ext}"\nmax_size = "10MiB"\ncontent_types = ["image/*"]\n'


@dataclass(frozen=True)
class Mistake:
    """
    One mistake.

    Args:
        command: ``{here}`` is the folder of the test; ``{function}`` and the like belong to a running cloud.

        names: what the answer names, in both languages.

        en, zh: what it says to change.

        env: of ``.env``, instead of what is right, with such fields; ``None`` leaves a name out.

        env_file: the whole of ``.env``, instead of ``env``.

        s_yaml: a text of ``s.yaml`` and what stands there instead.

        profiles: the whole of ``profiles.toml``.

        shell: variables of the environment.

        code: the exit code.
    """

    command: str
    names: str
    en: str
    zh: str
    env: dict = field(default_factory=dict)
    env_file: bytes = b""
    s_yaml: tuple = ()
    profiles: str = ""
    shell: dict = field(default_factory=dict)
    code: int = 1


CHECK = "check-deploy {here}/s.yaml"
DOCTOR = "doctor --env-file {here}/.env"
SETUP = "setup --dry-run --env-file {here}/.env"
NOWHERE = {"OSS_HOST": REFUSED, "STS_ENDPOINT": REFUSED, "WECHAT_ENDPOINT": REFUSED}
ON_THE_LOCAL_CLOUD = {
    "OSS_BUCKET": "{bucket}",
    "OSS_HOST": "{oss}",
    "STS_ENDPOINT": "{sts}",
    "STS_ROLE_ARN": "{roleArn}",
    "CALLER_AUTH": "anonymous",
    "PROFILES_FILE": "{here}/profiles.toml",
    "ALIBABA_CLOUD_ACCESS_KEY_ID": "{accessKeyId}",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "{accessKeySecret}",
}
HOST = "https://{}.aliyuncs.com"
EXAMPLE = (PROJECT / ".env.example").read_bytes()
AUTH_TYPE = ("authType: anonymous", "authType: function")

MISTAKES = {
    # What stops people
    "the default host of a new account": Mistake(
        "demo --rule public_endpoint_forbidden=true",
        *("PublicEndpointForbidden", "Bind a domain of yours to the bucket", "把自己的域名绑定到桶"),
        shell={"PORT": "0"},
    ),
    "a code that WeChat does not know": Mistake(
        "invoke --url {function} --code bad-0a1b2c", "unauthorized", "wx.login", "wx.login"
    ),
    "no code where one is needed": Mistake("invoke --url {function}", "unauthorized", "log in", "登录"),
    "a public picture in a bucket that blocks them": Mistake(
        DOCTOR,
        "[open]",
        "Block Public Access",
        "阻止公共访问",
        env=ON_THE_LOCAL_CLOUD,
        profiles=PROFILE.replace("[default]", "[open]") + 'acl = "public-read"\n',
    ),
    "an unsigned GET of a private object": Mistake(
        "explain {here}/pasted.xml", "AccessDenied", "signed", "签名", code=0
    ),
    "no network": Mistake(DOCTOR, "HTTPS_PROXY", "Connect this machine", "请让本机连上网络", env=NOWHERE),
    "no function at that address": Mistake(
        f"invoke --url {REFUSED} --code x", REFUSED, "Check the address", "请检查地址"
    ),
    "another service at that address": Mistake(
        "invoke --url {playground} --code x", "403", "check the address and its path", "请检查地址与路径"
    ),
    # Configuration
    "nothing configured": Mistake(
        f"{CHECK} --for-deploy", "OSS_BUCKET", "set it in .env", "请在 .env", env_file=b"# nothing\n"
    ),
    "values of .env.example left as they are": Mistake(
        f"{CHECK} --for-deploy", "STS_ROLE_ARN", "set your own", "请改成你自己的", env_file=EXAMPLE
    ),
    "some of them replaced and two left": Mistake(
        CHECK,
        "STS_ROLE_ARN",
        "set your own",
        "请改成你自己的",
        env_file=EXAMPLE.replace(b"OSS_BUCKET=my-bucket", b"OSS_BUCKET=photos-of-users"),
    ),
    "an endpoint's name for a region": Mistake(
        CHECK,
        "oss-cn-hangzhou",
        "did you mean cn-hangzhou?",
        "是不是 cn-hangzhou？",
        env={"OSS_REGION": "oss-cn-hangzhou"},
    ),
    "the same, to doctor": Mistake(
        DOCTOR,
        "OSS_REGION = 'oss-cn-hangzhou'",
        "such as cn-hangzhou",
        "如 cn-hangzhou",
        env={"OSS_REGION": "oss-cn-hangzhou"},
    ),
    "an internal host": Mistake(
        CHECK,
        "OSS_HOST",
        "which no phone reaches; leave it empty",
        "手机访问不到；请留空",
        env={"OSS_HOST": HOST.format("photos-of-users.oss-cn-hangzhou-internal")},
    ),
    "a host of another region": Mistake(
        CHECK,
        "cn-beijing",
        "or correct OSS_REGION",
        "或更正 OSS_REGION",
        env={"OSS_HOST": HOST.format("photos-of-users.oss-cn-beijing")},
    ),
    "a host of another bucket": Mistake(
        CHECK, "others", "leave it empty", "请留空", env={"OSS_HOST": HOST.format("others.oss-cn-hangzhou")}
    ),
    "a host without its bucket": Mistake(
        CHECK,
        "OSS_HOST",
        "lacks the bucket in front; leave it empty",
        "前面缺少桶名；请留空",
        env={"OSS_HOST": HOST.format("oss-cn-hangzhou")},
    ),
    "this machine for a host": Mistake(
        CHECK,
        "OSS_HOST",
        "name a domain bound to the bucket",
        "或填绑定到桶的域名",
        env={"OSS_HOST": "http://127.0.0.1:9002"},
    ),
    "the AppID of a trial": Mistake(
        CHECK,
        "touristappid",
        "copy yours from the mini-program console",
        "请从小程序后台复制你的",
        env={"WECHAT_APPID": "touristappid"},
    ),
    "no AppSecret": Mistake(
        CHECK,
        "WECHAT_SECRET",
        "it must be the mini-program's AppSecret",
        "应为小程序的 AppSecret",
        env={"WECHAT_SECRET": None},
    ),
    "a short secret": Mistake(
        CHECK, "TOKEN_SECRET", "at least 32 random bytes", "至少 32 字节", env={"TOKEN_SECRET": "secret"}
    ),
    "a kind of caller that is none": Mistake(
        CHECK,
        "CALLER_AUTH = 'nobody'",
        "one of wechat, jwt, anonymous",
        "其中之一：wechat, jwt, anonymous",
        env={"CALLER_AUTH": "nobody"},
    ),
    "a rate in words": Mistake(
        DOCTOR, "CALLER_RATE = 'often'", "such as 60/min", "如 60/min", env={"CALLER_RATE": "often"}
    ),
    "a callback of another path": Mistake(
        DOCTOR,
        "CALLBACK_URL",
        "the public https address of this function's /callback",
        "/callback 的公网 https 地址",
        env={"CALLBACK_URL": "https://a.example.com/"},
    ),
    # Lines of .env
    "a dollar sign": Mistake(
        CHECK, ".env:1", "take a value without a $", "请换一个不含 $ 的值", env_file=b"TOKEN_SECRET=abc$def\n"
    ),
    "a line that sets nothing": Mistake(
        DOCTOR, ".env:1", "is not NAME=value", "应为 NAME=value", env_file=b"OSS_BUCKET: my-bucket\n"
    ),
    "a line written twice": Mistake(
        CHECK,
        "OSS_BUCKET",
        "keep one of the lines",
        "请只留一行",
        env_file=b"OSS_BUCKET=a-1\nOSS_BUCKET=b-2\n",
    ),
    "a value cut short by a hash": Mistake(
        CHECK,
        "TOKEN_SECRET",
        'write TOKEN_SECRET="..."',
        '请写成 TOKEN_SECRET="..."',
        env_file=b"TOKEN_SECRET=a#b\n",
    ),
    "a quote that is not closed": Mistake(
        CHECK, "OSS_BUCKET", "close or drop it", "请补上或去掉", env_file=b'OSS_BUCKET="a\nB=1\n'
    ),
    "a file that is not UTF-8": Mistake(
        CHECK, ".env", "save it as UTF-8", "请存为 UTF-8", env_file=b"A=\xc4\xe3\n"
    ),
    # s.yaml
    "a trigger that a phone cannot sign for": Mistake(
        CHECK, "authType = function", "write anonymous", "请写 anonymous", s_yaml=AUTH_TYPE
    ),
    "a misspelt property": Mistake(
        CHECK,
        "memorysize",
        "did you mean memorySize?",
        "是不是 memorySize？",
        s_yaml=("memorySize:", "memorysize:"),
    ),
    "a handler that is not there": Mistake(
        CHECK,
        "handler.main",
        "it has: ",
        "有：",
        s_yaml=("handler: handler.handler", "handler: handler.main"),
    ),
    "too little memory": Mistake(
        CHECK, "memorySize = 500", "must be", "应为", s_yaml=("memorySize: 512", "memorySize: 500")
    ),
    "no s.yaml": Mistake("check-deploy {here}/none.yaml", "none.yaml", "No such file", "没有这个文件或目录"),
    "YAML that is none": Mistake(
        CHECK, "s.yaml", "is not YAML", "不是 YAML", s_yaml=("edition: ", "edition: [")
    ),
    # profiles.toml
    "no TOML": Mistake(
        f"{SETUP} --profiles {{here}}/profiles.toml",
        "profiles.toml",
        "is not TOML",
        "不是 TOML",
        profiles="[a\n",
        code=2,
    ),
    "a key that repeats": Mistake(
        f"{SETUP} --profiles {{here}}/profiles.toml",
        "[default]",
        "must have {id}",
        "应含 {id}",
        profiles=PROFILE.replace("{id}", "a"),
        code=2,
    ),
    "a size in words": Mistake(
        f"{SETUP} --profiles {{here}}/profiles.toml",
        "max_size = '10M'",
        "such as 10MiB",
        "如 10MiB",
        profiles=PROFILE.replace("10MiB", "10M"),
        code=2,
    ),
    "an option that is none": Mistake(
        f"{SETUP} --profiles {{here}}/profiles.toml",
        "max_bytes",
        "allowed: ",
        "可用：",
        profiles=PROFILE + "max_bytes = 1\n",
        code=2,
    ),
    # Command lines
    "no bucket's name": Mistake(
        f"{SETUP} --bucket My_Bucket",
        "'My_Bucket'",
        "3 to 63 lower-case letters",
        "3 到 63 个小写字母",
        code=2,
    ),
    "one role for both": Mistake(
        f"{SETUP} --function-role one --upload-role one",
        "--upload-role",
        "must be two roles",
        "应为两个角色",
        code=2,
    ),
    "no key of the cloud": Mistake(
        "setup --yes --env-file {here}/.env",
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "the key of a RAM user",
        "RAM 用户的密钥",
        code=2,
    ),
    "no address of the function": Mistake(
        "invoke", "--url", "Say where the function is", "请指明函数的位置", code=2
    ),
    "an address with a query": Mistake(
        "doctor --url https://a.example.com/?x=1", "--url", "without a query", "不带查询串", code=2
    ),
    "a code and a token": Mistake(
        "invoke --url https://a.example.com --code a --token b", "--token", "use one", "只用其一", code=2
    ),
    "a file that is not there": Mistake(
        "invoke --url https://a.example.com --upload {here}/none.png",
        "none.png",
        "it does not exist",
        "它不存在",
        code=2,
    ),
    "nothing that can be explained": Mistake(
        "explain {here}/nothing.txt", "policy", "Cannot explain this", "无法解释", code=2
    ),
    "a tool that is not there": Mistake(
        "deploy {here}/s.yaml --tool {here}/s", "{here}/s", "Run: make deploy", "请运行：make deploy", code=2
    ),
    "a Python that is none": Mistake(
        "package --python /none/python",
        "/none/python",
        "is not a CPython 3.12 that runs",
        "不是能运行的 CPython 3.12",
    ),
    "a port that is none": Mistake(
        "serve", "PORT", "set it to a number from 0", "请设为 0", shell={"PORT": "none"}
    ),
    "a folder that cannot be": Mistake(
        "serve --folder {here}/s.yaml/objects",
        "{here}/s.yaml/objects",
        "name another one with --folder",
        "请用 --folder 换一个",
        shell={"PORT": "0"},
    ),
    "a host of nobody": Mistake(
        "serve --host 203.0.113.7", "203.0.113.7", "set it to lan", "请设为 lan", shell={"PORT": "0"}
    ),
    "a secret too short for receipts": Mistake(
        "serve --token-secret short",
        "TOKEN_SECRET",
        "at least 32 random bytes",
        "至少 32 字节",
        shell={"PORT": "0"},
    ),
    "an unknown command": Mistake("deploy-all", "'deploy-all'", "choose from", "可选：", code=2),
    "an unknown option": Mistake(
        "doctor --verbose", "--verbose", "unrecognized arguments", "无法识别的参数", code=2
    ),
}

ANONYMOUS = """<?xml version="1.0" encoding="UTF-8"?>
<Error>
  <Code>AccessDenied</Code>
  <Message>You have no right to access this object because of bucket acl.</Message>
  <RequestId>6746C2E5A6B4C53030D6F6A4</RequestId>
  <HostId>b.oss-cn-hangzhou.aliyuncs.com</HostId>
  <EC>0003-00000001</EC>
</Error>
"""
