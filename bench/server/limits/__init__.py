"""What this machine can do at most, measured beside the work that is compared with it."""
