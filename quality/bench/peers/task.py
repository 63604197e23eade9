"""The task every contestant gets: a form for one JPEG of 123,456 bytes, under keys that exist nowhere."""

import os

BUCKET = "bench-bucket"
REGION = "cn-hangzhou"
HOST = f"https://{BUCKET}.oss-{REGION}.aliyuncs.com"
ROLE_ARN = "acs:ram::1234567890123456:role/upload"
OWN_KEY_ID = "STS.NTBenchOwnKeyId"
OWN_SECRET = "BenchOwnSecret0000000000000000"
OWN_TOKEN = "CAISBenchOwnToken/+=="
ROLE_KEY_ID = "STS.NTBenchRoleKeyId"
ROLE_SECRET = "BenchRoleSecret000000000000000"
# As long as real ones were seen to be.
ROLE_TOKEN = ("CAISBench/+" * 82) + "=="
TOKEN_SECRET = "bench-token-secret-0123456789abcdef"
CONTENT_TYPE = "image/jpeg"
SIZE_BYTES = 123_456
EXPIRES_SECONDS = 300
WANTED = {"filename": "photo.jpg", "contentType": CONTENT_TYPE, "size": SIZE_BYTES}


def sts_endpoint() -> str:
    """Origin of the stand-in for STS, over TLS."""
    return os.environ["STS_ENDPOINT"]
