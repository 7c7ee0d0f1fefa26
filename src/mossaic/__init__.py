"""Mossaic: a self-hosted object storage service that speaks the Alibaba Cloud OSS protocol."""

from __future__ import annotations

__version__ = "0.1.0"
