"""A setting that cannot work is refused when it is read, by name, and not when the first request meets it."""

from __future__ import annotations

import pytest

from mossaic.config import Settings, SettingsError, environment_name, keys, load


def refusal(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(environ={f"MOSSAIC_{name}": value for name, value in environ.items()})
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_buckets", "-1"),
        ("http.threads", "1"),
        ("http.max_connections", "0"),
        ("http.max_head_bytes", "-1"),
        ("http.body_idle_s", "0"),
        ("http.shutdown_s", "-1"),
        ("store.inline_bytes", "-1"),
        ("store.inline_bytes", "2000000"),
        ("store.warm_bytes", "-1"),
        ("upload.replay_s", "-1"),
        ("callback.timeout_s", "0"),
        ("sweep.interval_s", "0"),
        ("sweep.interval_s", "nan"),
        ("sweep.orphan_grace_s", "-1"),
        ("sweep.reader_grace_s", "inf"),
        ("log.level", "loud"),
        ("region", "oss-cn-beijing"),
        ("region", "cn hangzhou"),
        ("account_id", "me"),
        ("cnames", "files.example.com"),
        ("public_endpoint", "oss.example.com"),
        ("callback.public_url", "ftp://oss.example.com"),
        ("tls.key", "key.pem"),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: str) -> None:
    assert f"environment: {name}" in refusal(**{environment_name(name).removeprefix("MOSSAIC_"): value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTP_SHUTDOWN_S", "0"),
        ("UPLOAD_REPLAY_S", "0"),
        ("STORE_INLINE_BYTES", "0"),
        ("SWEEP_INTERVAL_S", "0.1"),
        ("SWEEP_ORPHAN_GRACE_S", "0"),
        ("LOG_LEVEL", "WARNING"),
        ("ACCOUNT_ID", ""),
        ("PUBLIC_ENDPOINT", "https://oss.example.com/"),
        ("CNAMES", "files.example.com=files, a.example.com=aaa"),
        ("CALLBACK_PUBLIC_URL", "http://10.0.0.5:9280"),
    ],
)
def test_a_value_in_range_is_taken(name: str, value: str) -> None:
    load(environ={f"MOSSAIC_{name}": value})


def test_the_defaults_are_in_range() -> None:
    assert load(environ={}).settings == Settings()
    assert "http.threads" in set(keys())
