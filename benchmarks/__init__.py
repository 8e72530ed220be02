"""How fast seeding is: this project, its peers and the limits of the databases, in one run."""
