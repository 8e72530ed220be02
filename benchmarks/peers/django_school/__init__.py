"""A Django application with the table that the others fill."""
