"""The commands, one file each: a docstring, add_arguments and handle."""
