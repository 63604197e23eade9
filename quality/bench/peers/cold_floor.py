"""Cold start of the floor: the STS SDK as its manual has it, one AssumeRole, one signature, nothing else."""

import json
import sys
from datetime import UTC, datetime

import floor
from aliyunsdkcore.auth.credentials import StsTokenCredential
from aliyunsdkcore.client import AcsClient
from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest
from task import OWN_KEY_ID, OWN_SECRET, OWN_TOKEN, REGION, ROLE_ARN, WANTED, sts_endpoint

client = AcsClient(region_id=REGION, credential=StsTokenCredential(OWN_KEY_ID, OWN_SECRET, OWN_TOKEN))
request = AssumeRoleRequest()
request.set_RoleArn(ROLE_ARN)
request.set_RoleSessionName("bench")
request.set_DurationSeconds(3600)
request.set_endpoint(sts_endpoint())
given = json.loads(client.do_action_with_exception(request))["Credentials"]
credentials = (given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"])
print(json.dumps(floor.sign(WANTED, datetime.now(UTC), credentials=credentials)), flush=True)
sys.stdin.read()
