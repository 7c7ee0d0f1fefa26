"""Where the bytes lie: blobs as local files."""

from mossaic.stores.blobs.files import FileBlobs

__all__ = ["FileBlobs"]
