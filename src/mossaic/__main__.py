"""`python -m mossaic`."""

from mossaic.cli.main import main

main(prog_name="mossaic")
