# Every target does its own set-up: a virtual environment in .venv, made once, and brought up to
# date when pyproject.toml or constraints.txt change.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready
DEMO := runs/demo
# A process for each core; the tests of a file share what they set up, and so stay together.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile
# What `make fuzz` takes: how many times as many examples as `make test`, for how long it goes on with
# further seeds after the first, that seed (drawn unless given), and the tests by a part of their name.
TIMES := 20
MINUTES := 0
SEED :=
ONLY :=

# Also reaches the environment in which pip builds packages. Relative, because pip splits the
# value at spaces and a checkout may lie in a folder that has one in its name.
export PIP_CONSTRAINT := constraints.txt
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast fuzz lint docs wheel clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## Train, search and distil the quick start; results in runs/demo
	$(BIN)/catdsl compress specs/quickstart.cat --budget 25% -o $(DEMO) $$(test ! -d $(DEMO) || echo --resume)

test: lint ## Lint, check types, and run every test
	$(PYTEST)

test-fast: $(READY) ## Run the tests that take no more than a few seconds each
	$(PYTEST) -m "not slow"

fuzz: $(READY) ## Test on other examples, 20 times as many; also TIMES=, SEED=, MINUTES=, ONLY=
	$(BIN)/python -m tests.fuzz --times $(TIMES) --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) --only '$(ONLY)'

lint: $(READY) ## Lint, check the format and the types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy catdsl

docs: $(READY) ## Write the pages that are made from operators and grammar
	$(BIN)/python -c 'from pathlib import Path; from catdsl.view.reference import write; write(Path("docs/language"))'

wheel: $(READY) ## Build a wheel into dist
	$(BIN)/python -m build --wheel --no-isolation

clean: ## Delete what was built; .venv and runs stay
	rm -rf build dist .benchmarks .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find catdsl tests -name __pycache__ -prune -exec rm -rf {} +

# PyTorch comes first and by itself: whatever else is installed then finds it in place.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "catdsl needs Python 3.11 or newer, and \`$(PYTHON)\` is not:" \
	         "$$($(PYTHON) --version 2>&1 || true)"; \
	    echo "Name another one like this: make PYTHON=python3.12 $(MAKECMDGOALS)"; \
	    exit 1; } >&2
	@echo "Setting up .venv (the first time, PyTorch is a large download)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q torch torchvision
	@$(BIN)/python -m pip install -q -e '.[dev]'
	@touch $@
