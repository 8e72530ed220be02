"""The forkserver's last import: what it has by now is no garbage, and no fork needs to look through it, and copy it."""

import gc

import tests.processes  # noqa: F401  # which every fork imports

gc.collect()
gc.freeze()
