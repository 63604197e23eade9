"""boto3's ``generate_presigned_post`` and ``generate_presigned_url`` for the task."""

from task import (
    BUCKET,
    CONTENT_TYPE,
    EXPIRES_SECONDS,
    PROCESS,
    READ_FOR_SECONDS,
    REGION,
    SIZE_BYTES,
    STORED_KEY,
)

KEY = "uploads/public/2026/11/24/photo.jpg"


def client(session, credentials, **options):
    """An S3 client; ``credentials`` are id, secret and token."""
    key_id, secret, token = credentials
    return session(
        "s3",
        region_name=REGION,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        aws_session_token=token,
        **options,
    )


def sign(s3):
    return s3.generate_presigned_post(
        BUCKET,
        KEY,
        Fields={"Content-Type": CONTENT_TYPE, "success_action_status": "200"},
        Conditions=[
            {"Content-Type": CONTENT_TYPE},
            {"success_action_status": "200"},
            ["content-length-range", SIZE_BYTES, SIZE_BYTES],
        ],
        ExpiresIn=EXPIRES_SECONDS,
    )


def presign(s3):
    # S3 makes no thumbnails; what a URL overrides is signed and encoded alike.
    return s3.generate_presigned_url(
        "get_object",
        Params={"Bucket": BUCKET, "Key": STORED_KEY, "ResponseContentDisposition": PROCESS},
        ExpiresIn=2 * READ_FOR_SECONDS,
    )
