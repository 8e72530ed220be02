#!/usr/bin/env python
"""Run this project's commands: python manage.py help."""

import os
import signal
import sys

if __name__ == "__main__":
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))  # until the command runs there is nothing to undo
    from project.management.cli import main

    sys.exit(main(package="project", root=os.path.dirname(os.path.realpath(__file__))))
