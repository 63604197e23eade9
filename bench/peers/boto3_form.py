"""boto3's ``generate_presigned_post`` for the task."""

from task import BUCKET, CONTENT_TYPE, EXPIRES_SECONDS, REGION, SIZE_BYTES

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
