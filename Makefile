# make dev: a migrated, seeded database to look at.   make test: every test, on every server that runs.
# make test-faults: kills, full disks, cut sessions at every step; within an hour on 2 idle cores.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed

.PHONY: dev install test test-faults lint types bench bench-quick clean

dev: install .env
	$(BIN)/python manage.py migrate
	$(BIN)/python manage.py seed
	$(BIN)/python manage.py show

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[postgresql,mariadb,dev]'
	$(BIN)/python -m compileall -q manage.py project migrations
	@touch $@

.env:
	install -m 600 .env.example .env

test: install
	$(BIN)/python -m pytest -n auto --dist worksteal

test-faults: install
	$(BIN)/python -m tests.faults

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

bench: install
	$(BIN)/python -m benchmarks.run --chart benchmarks/chart.svg

bench-quick: install
	$(BIN)/python -m benchmarks.run --quick

clean:
	rm -rf $(VENV) build *.egg-info
