"""Your own commands: each file here is one, with a docstring, `add_arguments` and `handle`."""
