"""Public name of ``function.sts.assume_role``: AssumeRole through ``aliyun-python-sdk-sts``."""

from function.sts.assume_role import StsClient, own_access_keys, parse_response

__all__ = ["StsClient", "own_access_keys", "parse_response"]
