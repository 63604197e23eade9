"""boto3's signing call alone, with a client that is ready."""

import boto3
from boto3_form import client, sign
from task import ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN
from timing import serve

s3 = client(boto3.client, (ROLE_KEY_ID, ROLE_SECRET, ROLE_TOKEN))
serve({"signature": lambda: sign(s3)})
