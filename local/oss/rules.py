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

        form_expires_in_flight: the page of EC 0006-00000213 counts until the whole request has arrived, the
            reference of PostObject does not say. True refuses a form that expires while its file is still
            arriving, False stores what began in time. Whatever takes over four hours is refused
            (``max_upload_time``, EC 0017-00000703).

        v1_retired: accounts and buckets of late 2025 on refuse signature version 1.

        acl_needs_permission: whether an ACL in the form, ``default`` included, needs oss:PutObjectAcl
            beside oss:PutObject.

        block_public_access: refuse public ACLs and ignore those that are set, as buckets made since
            2025-10-13 do until that is switched off.

        public_endpoint_forbidden: refuse every call to the default host, as buckets in mainland China do for
            accounts that opened OSS since 2025-03-20. Here ``127.0.0.1`` is the default host, and
            ``localhost`` a domain bound to the bucket.

        private_reads_need_signature: whether an object that is not public is read by who signs alone. False
            hands every object to anybody, which no real bucket does.

        default_host_downloads: add ``x-oss-force-download`` and ``Content-Disposition: attachment`` to what
            the default host gives, as for accounts that opened OSS since 2022-10-09; a domain bound to the
            bucket adds neither.

        response_type_fixed: real buckets refuse ``response-content-type`` in a signed query, which SDKs still
            offer.

        video_frames_are_grey: the local OSS decodes no video. True answers ``video/snapshot`` with a grey
            picture of the size and format asked for, False with 501.

        variants_keep_exif: whether ``resize``, ``format`` and the other steps leave EXIF, the place where a
            picture was taken included, IPTC and comments in what they make of it. No page says.

        variants_keep_xmp: whether they leave XMP, where labels of AI-made content stand. No page says.

        variants_keep_texts: whether they leave tEXt and iTXt of a PNG that stays one. No page says.

        variants_keep_app11: whether they leave APP11 of a JPEG, and ``caBX`` of a PNG, where C2PA stands, if
            the format stays. No page says.

        auto_orient_reads_png: whether ``auto-orient`` turns a PNG by its EXIF. The page of ``info`` says that
            this does not read it; of ``auto-orient`` no page says.

        auto_orient_is_bounded: whether ``auto-orient`` refuses sides of more than 4,096 pixels, as ``rotate``
            does. An older page says so.

        animations_are_refused: whether what is animated is refused but by ``resize``, ``crop`` and ``rotate``
            of a GIF. An older page uses ``format`` on one. False takes the first frame.

        absence_told_to_listers_only: whether an object that is not there is 404 for whoever might read it,
            or 403 for all who may not list the bucket (oss:ListObjects).

        prefix_binds_every_list: the condition ``oss:Prefix`` is documented for ListObjects alone. True holds
            it against the prefix of ListObjectVersions and ListMultipartUploads as well; under False these
            have none, so that a right with that condition is no right to them.

        initiate_takes_acl: whether ``x-oss-object-acl`` of InitiateMultipartUpload is the object's; the page
            does not know it there. False ignores it, so that the ACL is the one that Complete names.

        second_complete_repeats: whether completing an upload once more is answered as the first time. False
            says NoSuchUpload, as for any upload that is over.

        sequential_mode: ``?sequential`` at InitiateMultipartUpload is in tests of SDKs alone: parts come in
            order, and the object has a Content-MD5. False ignores it.

        part_etag_is_md5: whether the ETag of a part is the MD5 of its bytes in a bucket that encrypts, too.
            False gives another one.

        copy_keeps_multipart_etag: a copy of an object that was uploaded in one piece has its ETag; of one in
            parts nothing is said. False gives the MD5 of the whole.

        expired_url_is_400: a signed URL that is over, and a life of it that is out of range, are documented
            with their EC alone. False answers the first with 403 and the second with 400, True both with the
            other.

        answers_name_namespace: whether the XML of an answer is in OSS's namespace; the samples differ, and
            the official Python SDK reads it without one only.

        fields_after_file_allowed: a sample request in the reference carries a field after ``file``, two
            error pages forbid it. True ignores such fields.

        absent_field_meets_not_in: whether ``not-in`` holds for a field that was not sent.

        dollar_optional: two error pages write ``["eq","success_action_status","200"]`` without the ``$``.

        content_type_sees_override: whether ``$content-type`` looks at ``x-oss-content-type``, which decides
            the stored type. False shows the hole in a policy that pins only ``$content-type``.

        callback_needs_json_type: whether the callback's answer must say ``application/json``.

        keys_in_utf16_order: listings are in the order of keys; whose bytes decide is not said. False takes
            UTF-8, True UTF-16, which differs for characters beyond U+FFFF, emoji for example.

        empty_pages_allowed: whether a listing takes ``max-keys=0``; True answers an empty page, False with
            400.

        foreign_tokens_allowed: whether the ``continuation-token`` of one prefix serves another. False answers
            InvalidArgument, True lists on from there.

        listed_class_in_capitals: a listing's samples write a storage class as ``Standard`` and as
            ``STANDARD``. True writes capitals.

        lists_are_late: an object is there as soon as its PUT was answered, and gone as soon as its DELETE
            was; of listings that is not said. True lets a list show the latest change from the second
            time on.

        last_page_names_markers: whether the last page of ListMultipartUploads has a ``NextKeyMarker``, which
            a sample shows. True writes it, so that ``IsTruncated`` alone says that more follows.

        absent_version_is_null: what ListObjectVersions calls the version of an object in a bucket that
            never had versioning: False leaves it empty, as the page's sample does, True says ``null``.

        null_deletes_without_versions: whether ``versionId=null`` deletes an object in such a bucket. False
            answers with 400.

        encoding_type_in_header: DeleteMultipleObjects has ``encoding-type`` in the query for the SDKs, in a
            header by its page. True reads it in both, False in the query alone.

        url2_known: ``encoding-type=url2`` of DeleteMultipleObjects, by which the keys of the request are
            encoded too, is on the Chinese page alone. False refuses it.

        missing_md5_is_invalid_digest: DeleteMultipleObjects without Content-MD5 is refused with 400; True
            with the code InvalidDigest, False with InvalidArgument.

        one_key_refuses_all: whether DeleteMultipleObjects is refused as a whole for one key that may not be
            deleted, or deletes the others.

        failed_deletions_named: whether its answer names what was not deleted, in ``Error`` as S3 has it. No
            page shows such an element. False leaves the key out.

        repeated_keys_told_once: whether a key that is twice in its request is once in its answer.
    """

    max_body_bytes: int = 5 * 1024 * MIB
    max_field_name_bytes: int = 8 * 1024
    max_field_value_bytes: int = 2 * MIB
    max_fields_bytes: int = 8 * MIB
    max_metadata_bytes: int = 8 * 1024
    max_key_bytes: int = 1023
    min_part_bytes: int = 100 * 1024
    max_parts: int = 10_000
    max_document_bytes: int = 2 * MIB
    max_crc64_bytes: int = 64 * 1024
    max_callback_bytes: int = 5 * 1024
    callback_timeout: timedelta = timedelta(seconds=5)
    max_callback_answer_bytes: int = MIB
    longest_page: int = 1000
    retention_days: int = 0
    date_ahead: timedelta = timedelta(minutes=15)
    max_upload_time: timedelta = timedelta(hours=4)
    strict_date_window: bool = False
    form_expires_in_flight: bool = True
    v1_retired: bool = False
    acl_needs_permission: bool = True
    block_public_access: bool = True
    public_endpoint_forbidden: bool = False
    private_reads_need_signature: bool = True
    default_host_downloads: bool = False
    response_type_fixed: bool = True
    video_frames_are_grey: bool = True
    variants_keep_exif: bool = True
    variants_keep_xmp: bool = True
    variants_keep_texts: bool = True
    variants_keep_app11: bool = True
    auto_orient_reads_png: bool = False
    auto_orient_is_bounded: bool = True
    animations_are_refused: bool = True
    absence_told_to_listers_only: bool = False
    prefix_binds_every_list: bool = False
    initiate_takes_acl: bool = False
    second_complete_repeats: bool = False
    sequential_mode: bool = True
    part_etag_is_md5: bool = True
    copy_keeps_multipart_etag: bool = False
    expired_url_is_400: bool = False
    answers_name_namespace: bool = False
    fields_after_file_allowed: bool = False
    absent_field_meets_not_in: bool = False
    dollar_optional: bool = True
    content_type_sees_override: bool = False
    callback_needs_json_type: bool = True
    keys_in_utf16_order: bool = False
    empty_pages_allowed: bool = False
    foreign_tokens_allowed: bool = False
    listed_class_in_capitals: bool = False
    lists_are_late: bool = False
    last_page_names_markers: bool = True
    absent_version_is_null: bool = False
    null_deletes_without_versions: bool = False
    encoding_type_in_header: bool = False
    url2_known: bool = False
    missing_md5_is_invalid_digest: bool = False
    one_key_refuses_all: bool = True
    failed_deletions_named: bool = False
    repeated_keys_told_once: bool = False

    @property
    def date_life(self) -> timedelta:
        return timedelta(minutes=15) if self.strict_date_window else timedelta(days=7)
