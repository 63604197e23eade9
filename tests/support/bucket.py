"""OSS as far as a bucket is made and set up, behind a stubbed network."""

from urllib.parse import urlsplit


class StubOss:
    """One bucket that may not be there yet."""

    def __init__(self, location="oss-cn-hangzhou"):
        self.location = location
        self.info, self.documents, self.calls = None, {}, []
        self.refuse = {}

    def __call__(self, request):
        status, headers, body = self.answer(request)
        return status, {"Date": "Tue, 24 Nov 2026 14:00:00 GMT", **headers}, body

    def answer(self, request):
        query = urlsplit(request.url).query
        parts = ("lifecycle", "cors")
        document = next((part for part in parts if part in query), "")
        self.calls.append((request.method, document, request.headers, request.body))
        if request.method in self.refuse:
            return self.refuse[request.method]
        if request.method == "PUT":
            return self.put(document, request)
        if "bucketInfo" in query:
            return (200, {}, self.info) if self.info else self.error(404, "NoSuchBucket")
        if document in self.documents:
            return 200, {}, self.documents[document]
        return self.error(404, {"lifecycle": "NoSuchLifecycle", "cors": "NoSuchCORSConfiguration"}[document])

    def put(self, document, request):
        if document:
            self.documents[document] = (
                request.body if isinstance(request.body, bytes) else request.body.read()
            )
        else:
            self.info = bucket_info(location=self.location)
        return 200, {}, ""

    def error(self, status, code):
        return status, {}, f"<Error><Code>{code}</Code><Message>m</Message><RequestId>R</RequestId></Error>"

    def changes(self):
        return [(method, document) for method, document, _, _ in self.calls if method != "GET"]


def bucket_info(location="oss-cn-hangzhou", acl="private", versioning="", block="false"):
    return (
        f"<BucketInfo><Bucket><Name>my-bucket</Name><Location>{location}</Location>"
        f"<AccessControlList><Grant>{acl}</Grant></AccessControlList><Versioning>{versioning}</Versioning>"
        f"<BlockPublicAccess>{block}</BlockPublicAccess></Bucket></BucketInfo>"
    )
