"""
Regions of OSS, and those most like a word that is none.

Source: https://help.aliyun.com/zh/oss/user-guide/regions-and-endpoints
"""

from difflib import get_close_matches

MOST_NAMED = 3
REGIONS = (
    *"cn-hangzhou cn-shanghai cn-nanjing cn-fuzhou cn-wuhan-lr cn-qingdao cn-beijing cn-zhangjiakou".split(),
    *"cn-huhehaote cn-wulanchabu cn-zhongwei cn-shenzhen cn-heyuan cn-guangzhou cn-chengdu".split(),
    *"cn-hongkong ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-3 ap-southeast-5".split(),
    *"ap-southeast-6 ap-southeast-7 eu-central-1 eu-west-1 me-central-1".split(),
    *"me-east-1 na-south-1 us-east-1 us-west-1".split(),
    # Closed ones for finance and government.
    *"cn-hangzhou-finance cn-shanghai-finance-1 cn-shenzhen-finance-1 cn-beijing-finance-1".split(),
    *"cn-heyuan-acdr-1 cn-north-2-gov-1 cn-shanghai-cloudspe".split(),
)


def nearest(word: str) -> list[str]:
    """Return the names that are most like a word."""
    return get_close_matches(word, REGIONS, MOST_NAMED, cutoff=0)
