"""Handlers by family; importing this package binds them all to their rows."""

from mossaic.gateway.handlers import bucket, listing, multipart, object, object_settings, service, settings  # noqa: A004  # named like its room

__all__ = ["bucket", "listing", "multipart", "object", "object_settings", "service", "settings"]
