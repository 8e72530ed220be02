"""The project: your settings, models and seeders, and the machinery that migrates, seeds and resets them."""
