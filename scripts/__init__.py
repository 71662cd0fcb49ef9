"""The workshop's own tools: what `make check` runs besides ruff and mypy.

Nothing here is part of the distribution and nothing here may be imported by it. Each module is one
check or one generator, runs as `python -m scripts.<name>`, prints what is wrong with the place and
the remedy, and exits 1 if anything is.
"""
