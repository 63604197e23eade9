"""google-cloud-storage's signing call alone, with a client that is ready; it signs with RSA-2048."""

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.cloud import storage
from google.oauth2.service_account import Credentials
from task import BUCKET, CONTENT_TYPE, EXPIRES_SECONDS, SIZE_BYTES
from timing import serve

private_key = rsa.generate_private_key(65537, 2048).private_bytes(
    Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()
)
account = {
    "client_email": "bench@example.iam.gserviceaccount.com",
    "private_key": private_key.decode(),
    "private_key_id": "bench",
    "token_uri": "https://oauth2.googleapis.com/token",
    "type": "service_account",
}
client = storage.Client(project="bench", credentials=Credentials.from_service_account_info(account))


def sign():
    return client.generate_signed_post_policy_v4(
        BUCKET,
        "uploads/public/2026/11/24/photo.jpg",
        expiration=EXPIRES_SECONDS,
        conditions=[["content-length-range", SIZE_BYTES, SIZE_BYTES]],
        fields={"Content-Type": CONTENT_TYPE, "success_action_status": "200"},
    )


serve({"signature": sign})
