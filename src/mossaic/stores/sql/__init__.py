"""Metadata in SQL: buckets, objects, uploads, identities, and who holds which blob."""

from mossaic.stores.sql.making import make
from mossaic.stores.sql.sqlite import SqliteMetadata

__all__ = ["SqliteMetadata", "make"]
