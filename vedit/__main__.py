"""`python -m vedit` is the `vedit` command."""

from vedit.cli.main import run

run()
