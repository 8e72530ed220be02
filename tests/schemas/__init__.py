"""Schemas of several tables in the styles of their authors: models that a project of this kind might have."""
