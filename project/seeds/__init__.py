"""Your seeders, one a file. A model without one is seeded by inference from its columns and constraints."""
