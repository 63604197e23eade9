"""minio-py's signing call alone, with a client that is ready."""

from datetime import UTC, datetime, timedelta

from minio import Minio
from minio.datatypes import PostPolicy
from task import (
    BUCKET,
    CONTENT_TYPE,
    EXPIRES_SECONDS,
    REGION,
    ROLE_KEY_ID,
    ROLE_SECRET,
    ROLE_TOKEN,
    SIZE_BYTES,
)
from timing import serve

client = Minio(
    "s3.example.com", access_key=ROLE_KEY_ID, secret_key=ROLE_SECRET, session_token=ROLE_TOKEN, region=REGION
)


def sign():
    policy = PostPolicy(BUCKET, datetime.now(UTC) + timedelta(seconds=EXPIRES_SECONDS))
    policy.add_equals_condition("key", "uploads/public/2026/11/24/photo.jpg")
    policy.add_equals_condition("Content-Type", CONTENT_TYPE)
    policy.add_equals_condition("success_action_status", "200")
    policy.add_content_length_range_condition(SIZE_BYTES, SIZE_BYTES)
    return client.presigned_post_policy(policy)


serve({"signature": sign})
