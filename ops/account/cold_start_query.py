"""
The query of Simple Log Service (SLS) for cold starts as Function Compute itself logs them.
"""

# Fields of the line that Function Compute itself writes about each request (logConfig: enableRequestMetrics).
# Source: https://help.aliyun.com/zh/functioncompute/fc/user-guide/request-level-metrics
COLD_MS = {"cold": "coldStartLatencyMs", "code": "prepareCodeLatencyMs", "runtime": "runtimeInitializationMs"}
METRIC_FIELDS = {"isColdStart": "text", "functionName": "text", **dict.fromkeys(COLD_MS.values(), "double")}
COLD_STARTS = "isColdStart: true"
# Cast, because an index made by the console may hold the figures as text.
_MS = {name: f"cast({field} AS double)" for name, field in COLD_MS.items()}
COLD_STARTS_SQL = (
    f"SELECT functionName, count(*) AS colds, approx_percentile({_MS['cold']}, 0.5) AS p50,"
    f" approx_percentile({_MS['cold']}, 0.95) AS p95, max({_MS['cold']}) AS longest,"
    f" avg({_MS['code']}) AS code, avg({_MS['runtime']}) AS runtime"
    " FROM log GROUP BY functionName ORDER BY colds DESC LIMIT 20"
)
