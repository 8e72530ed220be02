"""Run a script and print, last, which of some packages it imported: PACKAGE,PACKAGE SCRIPT [argument ...]."""

import contextlib
import runpy
import sys

if __name__ == "__main__":
    unwanted, sys.argv = sys.argv[1].split(","), sys.argv[2:]
    with contextlib.suppress(SystemExit):
        runpy.run_path(sys.argv[0], run_name="__main__")
    print("imported:", *(name for name in unwanted if name in sys.modules))
