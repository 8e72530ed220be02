"""Faults, injected at the first, second, third step of a run until the run passes: all or nothing each time."""
