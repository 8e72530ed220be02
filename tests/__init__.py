"""Tests drive the program as a person would, on real databases. The folders mirror project/."""
