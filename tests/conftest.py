"""What all tests share."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# Machines that run tests are shared: how long one example takes says nothing about the code.
settings.register_profile(
    "mossaic", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("mossaic")

# `make test &` hands down a SIGINT that is ignored, also to the commands that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
