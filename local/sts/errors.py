"""
Refusals of AssumeRole, beside those of the RPC gateway.

Source: https://help.aliyun.com/zh/ram/developer-reference/api-sts-2015-04-01-assumerole
"""

from local.rpc.errors import Refusal

NO_SUCH_ROLE = Refusal(404, "EntityNotExist.Role", "The specified Role not exists.")
POLICY_GRAMMAR = Refusal(
    400, "InvalidParameter.PolicyGrammar", "The parameter Policy has not passed grammar check."
)
POLICY_SIZE = Refusal(
    400, "InvalidParameter.PolicySize", "The size of Policy must be at most 2048 characters."
)
