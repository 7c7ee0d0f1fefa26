"""Documents on a bucket: CORS, lifecycle, tags and policy, each put, got and deleted as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mossaic.client.calls.base import Calls
from mossaic.protocol.operations import settings as ops
from mossaic.protocol.operations.settings import CorsConfiguration, LifecycleConfiguration
from mossaic.protocol.shapes import OnBucket

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mossaic.protocol.operations.settings import CorsRule, LifecycleRule


class Settings(Calls):
    """The calls for a bucket's documents. A Put replaces the whole document. `bucket` is the client's own when it is not named."""

    def put_cors(
        self,
        rules: CorsConfiguration | Iterable[CorsRule],
        *,
        response_vary: bool | None = None,
        bucket: str | None = None,
    ) -> None:
        """At most 20 rules; the first that fits a request counts. A browser that uploads needs `ETag` in `expose_headers`.

        Raises NoSuchBucket, MalformedXML, InvalidArgument, AccessDenied and what every call raises.
        """
        if isinstance(rules, CorsConfiguration):
            response_vary = rules.response_vary if response_vary is None else response_vary
            rules = rules.rules
        asked = ops.PutBucketCors(bucket=self._in(bucket), rules=tuple(rules), response_vary=response_vary)
        self._send(ops.PUT_BUCKET_CORS, asked)

    def get_cors(self, *, bucket: str | None = None) -> CorsConfiguration:
        """Raises NoSuchCORSConfiguration, NoSuchBucket, AccessDenied and what every call raises."""
        return self._do(ops.GET_BUCKET_CORS, OnBucket(bucket=self._in(bucket))).value

    def delete_cors(self, *, bucket: str | None = None) -> None:
        """Nothing happens when there is none. Raises NoSuchBucket, AccessDenied and what every call raises."""
        self._do(ops.DELETE_BUCKET_CORS, OnBucket(bucket=self._in(bucket)))

    def put_lifecycle(
        self,
        rules: LifecycleConfiguration | Iterable[LifecycleRule],
        *,
        allow_overlap: bool = False,
        bucket: str | None = None,
    ) -> None:
        """`allow_overlap`: rules may reach the same objects with the same action.

        Raises NoSuchBucket, MalformedXML, InvalidArgument, AccessDenied and what every call raises.
        """
        rules = rules.rules if isinstance(rules, LifecycleConfiguration) else tuple(rules)
        asked = ops.PutBucketLifecycle(bucket=self._in(bucket), rules=rules, allow_overlap=allow_overlap)
        self._send(ops.PUT_BUCKET_LIFECYCLE, asked)

    def get_lifecycle(self, *, bucket: str | None = None) -> LifecycleConfiguration:
        """Raises NoSuchLifecycle, NoSuchBucket, AccessDenied and what every call raises."""
        return self._do(ops.GET_BUCKET_LIFECYCLE, OnBucket(bucket=self._in(bucket))).value

    def delete_lifecycle(self, *, bucket: str | None = None) -> None:
        """Nothing happens when there is none. Raises NoSuchBucket, AccessDenied and what every call raises."""
        self._do(ops.DELETE_BUCKET_LIFECYCLE, OnBucket(bucket=self._in(bucket)))

    def put_bucket_tags(self, tags: Mapping[str, str], *, bucket: str | None = None) -> None:
        """At most 20. Raises NoSuchBucket, InvalidTag, AccessDenied and what every call raises."""
        listed = tuple(ops.Tag(key=key, value=value) for key, value in tags.items())
        self._send(ops.PUT_BUCKET_TAGS, ops.PutBucketTags(bucket=self._in(bucket), tags=listed))

    def get_bucket_tags(self, *, bucket: str | None = None) -> dict[str, str]:
        """Empty when there are none. Raises NoSuchBucket, AccessDenied and what every call raises."""
        found = self._do(ops.GET_BUCKET_TAGS, OnBucket(bucket=self._in(bucket))).value
        return {tag.key: tag.value for tag in found.tags}

    def delete_bucket_tags(self, keys: Iterable[str] = (), *, bucket: str | None = None) -> None:
        """Those of `keys`, or all when none is named. Raises NoSuchBucket, AccessDenied and what every call raises."""
        asked = ops.DeleteBucketTags(bucket=self._in(bucket), keys=",".join(keys))
        self._do(ops.DELETE_BUCKET_TAGS, asked)

    def put_bucket_policy(
        self,
        policy: Mapping[str, Any] | str | bytes,  # Any: JSON
        *,
        bucket: str | None = None,
    ) -> None:
        """`policy`: the document, or its JSON, which is stored as it is; at most 16 KiB.

        Raises NoSuchBucket, InvalidPolicyDocument (a ServerError of that code), AccessDenied and what every call raises.
        """
        text = json.dumps(policy, ensure_ascii=False) if isinstance(policy, Mapping) else policy
        body = text.encode() if isinstance(text, str) else text
        self._do(ops.PUT_BUCKET_POLICY, ops.PutBucketPolicy(bucket=self._in(bucket), policy=body))

    def get_bucket_policy(self, *, bucket: str | None = None) -> dict[str, Any]:  # Any: JSON
        """Raises NoSuchBucketPolicy, NoSuchBucket, AccessDenied and what every call raises."""
        found: dict[str, Any] = json.loads(  # Any: as above
            self._do(ops.GET_BUCKET_POLICY, OnBucket(bucket=self._in(bucket))).value.policy
        )
        return found

    def delete_bucket_policy(self, *, bucket: str | None = None) -> None:
        """Nothing happens when there is none. Raises NoSuchBucket, AccessDenied and what every call raises."""
        self._do(ops.DELETE_BUCKET_POLICY, OnBucket(bucket=self._in(bucket)))

    def get_bucket_policy_status(self, *, bucket: str | None = None) -> bool:
        """Whether the policy lets everybody in. Raises NoSuchBucketPolicy, NoSuchBucket, AccessDenied and what every call raises."""
        return self._do(ops.GET_BUCKET_POLICY_STATUS, OnBucket(bucket=self._in(bucket))).value.is_public
