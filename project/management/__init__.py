"""The machinery behind manage.py. It knows no model, seeder or setting by name."""
