"""Imports the project's machinery, for the forks of a house that has it as it is here."""

import importlib
import pkgutil

import project.management

for found in pkgutil.walk_packages(project.management.__path__, "project.management."):
    if found.name != "project.management.testing":  # which needs pytest, and is run by that
        importlib.import_module(found.name)
