"""A local STS for tests in other languages: prints one line of JSON; ends with its standard input."""

import json
import sys

from local.common.accounts import AccessKey, Accounts
from local.sts.server import StsServer

KEY = AccessKey("LTAIlong", "long-secret")
ROLE_ARN = "acs:ram::1234567890123456:role/uploader"


def main() -> None:
    accounts = Accounts(KEY)
    server = StsServer(accounts, ROLE_ARN).start()
    try:
        where = {
            "origin": server.origin,
            "roleArn": ROLE_ARN,
            "accessKeyId": KEY.access_key_id,
            "accessKeySecret": KEY.access_key_secret,
        }
        sys.stdout.write(json.dumps(where) + "\n")
        sys.stdout.flush()
        # Each line asks for the policies the emulator keeps for one access key id.
        for line in sys.stdin:
            key = accounts.find(line.strip())
            sys.stdout.write(json.dumps(list(key.policies) if key else None) + "\n")
            sys.stdout.flush()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
