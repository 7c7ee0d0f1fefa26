"""Mossaic's own benchmark: `make bench`. Figures are ratios to this machine's limits, measured in the same run."""
