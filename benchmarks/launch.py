"""Run a whole process and print what it took; a small parent, since a child's peak memory begins with its parent's."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from .clock import Clock


def main(kind: str, command: list[str]) -> int:
    """Run a command whose database is of this kind; return its exit code."""
    if not any(word.startswith("benchmarks.") for word in command):
        os.environ.pop("PYTHONPATH", None)  # this process needed it, the command runs as a person would run it
    clock = Clock(kind)
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    took = clock.stop()
    child.returncode = os.waitstatus_to_exitcode(status)
    print(json.dumps({**took, "peak_mib": used.ru_maxrss / 1024}))
    return child.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
