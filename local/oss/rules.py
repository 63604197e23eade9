"""
Limits of the local OSS, and how it reads what OSS's documentation leaves open.

Each default is the reading under which a form that passes here passes under the other reading too, or
under which a form that pins too little shows it.
"""

from dataclasses import dataclass
from datetime import timedelta

MIB = 1024 * 1024


@dataclass(frozen=True)
class OssRules:
    """
    Limits (documented) and switches (not certain).

    Args:
        strict_date_window: the page on signature version 4 allows 15 minutes after ``x-oss-date`` in one
            place and 7 days in another. False takes the 7 days, True the 15 minutes; a date more than 15
            minutes ahead is refused under both.

        v1_retired: accounts and buckets of late 2025 on refuse signature version 1.

        acl_needs_permission: whether an ACL in the form, ``default`` included, needs oss:PutObjectAcl
            beside oss:PutObject.

        block_public_access: refuse public ACLs, as a bucket or account with that setting does.

        private_reads_need_signature: whether an object is read by its signers alone unless its ACL is public.
            False hands every object to anybody who asks without a signature.

        fields_after_file_allowed: a sample request in the reference carries a field after ``file``, two
            error pages forbid it. True ignores such fields.

        absent_field_meets_not_in: whether ``not-in`` holds for a field that was not sent.

        dollar_optional: two error pages write ``["eq","success_action_status","200"]`` without the ``$``.

        content_type_sees_override: whether ``$content-type`` looks at ``x-oss-content-type``, which decides
            the stored type. False shows the hole in a policy that pins only ``$content-type``.

        callback_needs_json_type: whether the callback's answer must say ``application/json``.
    """

    max_body_bytes: int = 5 * 1024 * MIB
    max_field_name_bytes: int = 8 * 1024
    max_field_value_bytes: int = 2 * MIB
    max_fields_bytes: int = 8 * MIB
    max_metadata_bytes: int = 8 * 1024
    max_key_bytes: int = 1023
    max_callback_bytes: int = 5 * 1024
    callback_timeout: timedelta = timedelta(seconds=5)
    max_callback_answer_bytes: int = MIB
    date_ahead: timedelta = timedelta(minutes=15)
    strict_date_window: bool = False
    v1_retired: bool = False
    acl_needs_permission: bool = True
    block_public_access: bool = False
    private_reads_need_signature: bool = False
    fields_after_file_allowed: bool = False
    absent_field_meets_not_in: bool = False
    dollar_optional: bool = True
    content_type_sees_override: bool = False
    callback_needs_json_type: bool = True

    @property
    def date_life(self) -> timedelta:
        return timedelta(minutes=15) if self.strict_date_window else timedelta(days=7)
