"""The forkserver's last import: what it has by now is no garbage, and no fork needs to look through it, and copy it."""

import gc

import faker

import tests.processes  # noqa: F401  # which every fork imports

faker.Faker("en_US")  # whose providers are looked for in a hundred folders, the first time
gc.collect()
gc.freeze()
