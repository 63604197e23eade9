"""
Charts and alarms of the log, each a query of Simple Log Service (SLS).

The function writes one JSON object a request; the runtime puts time, request and level before it, and
Function Compute stores the whole as the field ``message``. A query therefore takes the object out first.

Source: https://help.aliyun.com/zh/sls/sql-functions (the dialect), https://help.aliyun.com/document_detail/171396.htm
"""

from typing import NamedTuple

from ops.account.cold_start_query import COLD_STARTS, COLD_STARTS_SQL
from ops.terminal.language import Text

# A word of every line that the function itself writes, and of no other line in the logstore.
OURS = "stsRefreshed"
TEXTS = "route code profile owner uploadId reason webhook quota cold".split()
FIELDS = ", ".join(f"json_extract_scalar(line, '$.{name}') AS {name}" for name in TEXTS)
LINES = (
    "(SELECT moment, cast(json_extract_scalar(line, '$.status') AS bigint) AS status,"
    f" cast(json_extract_scalar(line, '$.ms') AS double) AS ms, {FIELDS}"
    " FROM (SELECT __time__ AS moment, regexp_extract(message, '\\{.*\\}') AS line FROM log))"
)
CRITICAL, HIGH, MEDIUM = 10, 8, 6


class Chart(NamedTuple):
    """
    One picture of the dashboard.

    Args:
        kind: how SLS draws it: ``line``, ``bar`` or ``table``.

        x, y: columns of the query.

        search: chooses the lines that the query is about.
    """

    name: str
    title: Text
    kind: str
    x: tuple[str, ...]
    y: tuple[str, ...]
    sql: str
    search: str = OURS

    @property
    def query(self) -> str:
        return f"{self.search} | {self.sql}"


class Alarm(NamedTuple):
    """
    One thing that somebody should be told.

    Args:
        minutes: how far back each look goes.

        at_least: of what is found in that time.

        advice: what to do.
    """

    name: str
    title: Text
    severity: int
    minutes: int
    at_least: int
    sql: str
    advice: Text

    @property
    def query(self) -> str:
        return f"{OURS} | {self.sql}"

    @property
    def condition(self) -> str:
        return f"found >= {self.at_least}"


def _lines_where(condition: str) -> str:
    return f"SELECT count(*) AS found FROM {LINES} WHERE {condition}"


def _summed_where(sums: str, lines: str, condition: str) -> str:
    """One when the sums over these lines are so, else none."""
    return f"SELECT count(*) AS found FROM (SELECT {sums} FROM {LINES} WHERE {lines}) WHERE {condition}"


CHARTS = (
    Chart(
        "requests",
        Text("Requests by route, each five minutes", "每五分钟各路由的请求数"),
        "line",
        ("five",),
        ("requests",),
        "SELECT moment - moment % 300 AS five, route, count(*) AS requests"
        f" FROM {LINES} GROUP BY five, route ORDER BY five LIMIT 10000",
    ),
    Chart(
        "errors",
        Text("What was refused, and what failed", "拒绝与失败"),
        "table",
        ("code",),
        ("answers",),
        f"SELECT status, code, count(*) AS answers, max(reason) AS example FROM {LINES}"
        " WHERE code IS NOT NULL GROUP BY status, code ORDER BY answers DESC LIMIT 50",
    ),
    Chart(
        "times",
        Text("Milliseconds by route, cold starts left out", "各路由的毫秒数，冷启动除外"),
        "table",
        ("route",),
        ("p50", "p95"),
        "SELECT route, count(*) AS requests, approx_percentile(ms, 0.5) AS p50,"
        f" approx_percentile(ms, 0.95) AS p95, max(ms) AS longest FROM {LINES}"
        " WHERE cold IS NULL AND status < 500 GROUP BY route ORDER BY requests DESC LIMIT 50",
    ),
    Chart(
        "cold",
        Text("Cold starts, each hour", "每小时的冷启动"),
        "bar",
        ("hour",),
        ("colds",),
        "SELECT moment - moment % 3600 AS hour, sum(CASE WHEN cold = 'true' THEN 1 ELSE 0 END) AS colds,"
        f" count(*) AS requests FROM {LINES} GROUP BY hour ORDER BY hour LIMIT 1000",
    ),
    Chart(
        "cold-ms",
        Text("Milliseconds of a cold start, by Function Compute", "函数计算记录的冷启动毫秒数"),
        "table",
        ("functionName",),
        ("p50", "p95", "code", "runtime"),
        COLD_STARTS_SQL,
        COLD_STARTS,
    ),
    Chart(
        "uploads",
        Text("Uploads with a receipt, by profile", "拿到回执的上传，按用途"),
        "bar",
        ("profile",),
        ("uploads",),
        f"SELECT profile, count(DISTINCT uploadId) AS uploads FROM {LINES} WHERE status = 200"
        " AND route IN ('callback', 'confirm', 'multipart-complete')"
        " GROUP BY profile ORDER BY uploads DESC LIMIT 50",
    ),
    Chart(
        "owners",
        Text("Who is refused most for asking too often", "因请求过于频繁被拒绝最多的调用者"),
        "table",
        ("owner",),
        ("refused",),
        f"SELECT owner, count(*) AS refused FROM {LINES} WHERE status = 429 AND owner IS NOT NULL"
        " GROUP BY owner ORDER BY refused DESC LIMIT 20",
    ),
)

ALARMS = (
    Alarm(
        "misconfigured",
        Text("Settings, role or profiles are wrong", "设置、角色或用途有误"),
        *(CRITICAL, 5, 1, _lines_where("code = 'misconfigured'")),
        Text("Run doctor; `reason` names what to change.", "运行 doctor；`reason` 写明要改什么。"),
    ),
    Alarm(
        "unforeseen",
        Text("An error nobody foresaw", "未预料到的错误"),
        *(CRITICAL, 5, 1, _lines_where("code = 'internal_error'")),
        Text("`reason` has its place: report it.", "`reason` 里有出错的位置：请报告。"),
    ),
    Alarm(
        "refused-by-sts",
        Text("STS refuses AssumeRole", "STS 拒绝 AssumeRole"),
        *(CRITICAL, 5, 1, _lines_where("code = 'sts_rejected'")),
        Text("Run doctor, then setup.", "运行 doctor，再运行 setup。"),
    ),
    Alarm(
        "refused-by-oss",
        Text("OSS refuses what the function asks", "OSS 拒绝函数的请求"),
        *(CRITICAL, 5, 1, _lines_where("code = 'oss_rejected'")),
        Text("Run doctor; `reason` has the code and the EC.", "运行 doctor；`reason` 里有错误码与 EC。"),
    ),
    Alarm(
        "refused-by-wechat",
        Text("WeChat answers unexpectedly", "微信的响应出乎意料"),
        *(HIGH, 15, 3, _lines_where("code = 'wechat_rejected'")),
        Text(
            "See `reason`; hold AppID and secret against the console.",
            "看 `reason`；与控制台核对 AppID 与密钥。",
        ),
    ),
    Alarm(
        "upstream-down",
        Text("STS, OSS or WeChat does not answer", "STS、OSS 或微信没有响应"),
        *(HIGH, 15, 5, _lines_where("status = 503 AND code <> 'quota_unavailable'")),
        Text("See `code`; look at the service's own status.", "看 `code`；再看该服务自己的状态。"),
    ),
    Alarm(
        "quota-down",
        Text("The store of the quotas does not answer", "配额的存储没有响应"),
        *(HIGH, 15, 3, _lines_where("quota IS NOT NULL OR code = 'quota_unavailable'")),
        Text("Look at Redis; `quota` says what was done.", "查看 Redis；`quota` 写明做了什么。"),
    ),
    Alarm(
        "callbacks-refused",
        Text("Callbacks that are not ours", "收到不属于本函数的回调"),
        *(MEDIUM, 15, 10, _lines_where("route = 'callback' AND status IN (400, 403)")),
        Text(
            "Somebody tries, or CALLBACK_URL is not the address that OSS calls.",
            "有人在试探，或 CALLBACK_URL 不是 OSS 回调的地址。",
        ),
    ),
    Alarm(
        "business-deaf",
        Text("The business is not told of uploads", "业务没有收到上传通知"),
        *(HIGH, 15, 5, _lines_where("webhook IS NOT NULL AND webhook <> 'ok'")),
        Text(
            "`webhook` says what happened; manage.py webhooks lists what waits.",
            "`webhook` 写明原因；manage.py webhooks 列出等待的。",
        ),
    ),
    Alarm(
        "slow",
        Text("Answers are slow", "响应变慢"),
        *(MEDIUM, 15, 1),
        _summed_where(
            "approx_percentile(ms, 0.95) AS p95, count(*) AS answers",
            "cold IS NULL AND status < 500",
            "answers >= 20 AND p95 > 3000",
        ),
        Text("See which route in the panel of milliseconds.", "看是哪个路由：图表“各路由的毫秒数”。"),
    ),
    Alarm(
        "always-cold",
        Text("Most answers are cold starts", "多数响应是冷启动"),
        *(MEDIUM, 15, 1),
        _summed_where(
            "sum(CASE WHEN cold = 'true' THEN 1 ELSE 0 END) AS colds, count(*) AS answers",
            "status IS NOT NULL",
            "answers >= 50 AND 2 * colds > answers",
        ),
        Text(
            "Instances do not stay: look for 502 in Function Compute's metrics, or set a least number.",
            "实例留不住：在函数计算自己的指标里找 502，或设置最小实例数。",
        ),
    ),
    Alarm(
        "flood",
        Text("Many requests are refused as too many", "大量请求因过于频繁被拒绝"),
        *(MEDIUM, 15, 300, _lines_where("status = 429")),
        Text(
            "The dashboard shows whose; CALLER_RATE is the brake.",
            "看板上能看到是谁；CALLER_RATE 是刹车。",
        ),
    ),
    Alarm(
        "nobody-logs-in",
        Text("Most callers are turned away", "多数调用者被拒之门外"),
        *(HIGH, 15, 1),
        _summed_where(
            "sum(CASE WHEN status IN (401, 403) THEN 1 ELSE 0 END) AS away, count(*) AS answers",
            "route IN ('upload-params', 'login', 'multipart', 'read')",
            "answers >= 50 AND 2 * away > answers",
        ),
        Text(
            "A key was changed (TOKEN_SECRET, JWT_KEY, the AppID's secret), or somebody guesses.",
            "某个密钥换了（TOKEN_SECRET、JWT_KEY 或 AppID 的密钥），或有人在猜。",
        ),
    ),
)
