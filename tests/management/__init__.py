"""Tests of the machinery: its own commands, on the house as it is cloned."""
