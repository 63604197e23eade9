"""boto3's signing calls alone, with a client that is ready."""

import boto3
from boto3_form import client, presign, sign
from botocore.config import Config
from task import ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN
from timing import serve

s3 = client(boto3.client, (ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN), config=Config(signature_version="s3v4"))
serve({"signature": lambda: sign(s3), "presigned": lambda: presign(s3)})
