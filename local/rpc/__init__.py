"""
The RPC gateway in front of STS and Content Moderation: parameters, signatures, callers, its own refusals.
"""
