# The dozen commands that a contributor needs; `make` alone prints them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO := inventories/demo
# How many lab test modules run at once, each with machines of its own (about 1 GB of memory).
LAB_WORKERS ?= 2
# Arguments of the sweep, e.g. make torture TORTURE="--workers 3 --resume" or "--every 5 --minutes 60".
TORTURE ?=
TORTURE_TESTS := $(addprefix tests/lab/test_,locks.py mail_during_apply.py bad_disks.py clocks.py durability.py \
	gauntlet.py)

# What the lab needs on this machine, and what the tests need beyond that.
LAB_PACKAGES := mmdebstrap systemd-container iproute2 dpkg-dev gpg gpg-agent openssh-client debian-archive-keyring python3-venv
TEST_PACKAGES := chromium strace procps

.PHONY: help setup setup-test demo demo-down test check lint types unit golden lab-test torture bench docs wheel clean

help: ## print this help
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.installed ## install what the lab and the program need (apt, .venv)
	@PACKAGES="$(LAB_PACKAGES)" .ci/install-packages

setup-test: $(VENV)/.installed-dev ## install what the tests need, too
	@PACKAGES="$(LAB_PACKAGES) $(TEST_PACKAGES)" .ci/install-packages

$(VENV)/bin/python:
	@PACKAGES="python3-venv" .ci/install-packages
	echo "Making a Python environment in $(VENV) ..."
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing provision into $(VENV) ..."
	$(BIN)/pip install -qq --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing provision and its development tools into $(VENV) ..."
	$(BIN)/pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.installed

demo: setup ## from nothing to a provisioned, verified demo fleet in the lab
	@$(BIN)/provision lab up -i $(DEMO)
	$(BIN)/provision apply --yes -i $(DEMO)
	$(BIN)/provision verify -i $(DEMO)
	$(BIN)/provision lab list
	cat docs/after-the-demo.txt

demo-down: ## end the demo's lab
	@$(BIN)/provision lab down -i $(DEMO)

test: setup-test ## everything: lint, types, unit, project and lab tests
	@$(MAKE) check
	$(MAKE) lab-test

check: setup-test lint types unit ## everything that needs no machine

lint: setup-test ## ruff, import-linter, yamllint, ansible-lint
	@PATH="$(abspath $(BIN)):$$PATH"
	ruff format --check .
	ruff check .
	lint-imports
	yamllint --strict .
	ansible-lint --offline -q playbooks

types: setup-test ## mypy --strict
	@$(BIN)/mypy

unit: setup-test ## unit, golden and project tests, with coverage of the pure stages
	@$(BIN)/pytest -q -m "not lab" --cov --cov-report=term:skip-covered

golden: setup-test ## rewrite the expected files of the golden cases
	@PROVISION_GOLDEN=rewrite $(BIN)/pytest -q tests/golden

lab-test: setup-test ## boot real machines and prove it over the wire
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/pytest -v -m lab -n $(LAB_WORKERS) --dist loadfile --durations=15

torture: setup-test ## interrupt applies at every step, 50 lock rounds, long mail; hours; reports/torture.json
	@export PATH="$(abspath $(BIN)):$$PATH"
	status=0
	$(BIN)/python -m tests.torture $(TORTURE) || status=1
	$(BIN)/python -m tests.torture --play access --without-first --reports reports/access $(TORTURE) || status=1
	PROVISION_TORTURE=1 $(BIN)/pytest -v -m lab $(wildcard $(TORTURE_TESTS)) || status=1
	exit $$status

bench: setup-test ## measure the promises as ratios (SUBJECTS="demo ..." for less); writes docs/benchmarks.md
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python -m tests.bench $(SUBJECTS)

docs: setup-test ## rewrite the pages that are generated from the models
	@$(BIN)/python -m tests.project.generate_docs

wheel: setup-test ## build the wheel and the sdist into dist/
	@$(BIN)/python -m build

clean: ## remove what the commands above have made here (not the lab's images)
	@rm -rf $(VENV) dist reports .mypy_cache .ruff_cache .pytest_cache .coverage .hypothesis
