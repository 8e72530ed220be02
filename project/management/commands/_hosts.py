"""The options that allow what the guard refuses of a development database at an unusual place."""

from __future__ import annotations

import argparse


def add_host_arguments(parser: argparse.ArgumentParser, verb: str) -> None:
    parser.add_argument("--allow-remote", action="store_true", help=f"{verb} a database of another machine")
    parser.add_argument(
        "--allow-production-name", action="store_true", help=f"{verb} a database whose name says production"
    )
