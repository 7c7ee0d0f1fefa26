"""Why does it not work, or not fast: one look at each thing between a client and a bucket, in the order in which they can fail."""

from __future__ import annotations

from mossaic.client.diagnosis.diagnose import diagnose
from mossaic.client.diagnosis.finding import Finding

__all__ = ["Finding", "diagnose"]
