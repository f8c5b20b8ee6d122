# Every target prints the plain commands that it runs. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What the environment was made from: a change updates it, otherwise it is used again.
RUN_STAMP := $(VENV)/run.stamp
DEV_STAMP := $(VENV)/dev.stamp

.DEFAULT_GOAL := help
# `make test-all` runs these parts, the longest first. Together they are all the test files.
PARTS := process-s-to-z unit process-a-to-h process-l-to-o process-p-to-r process-i-to-k contract truth browser
TIMING_PARTS := timing-t-to-z timing-browser timing-a-to-s
# What holds doctests: the rooms that need no Locust.
PURE_ROOMS := transport datasets records analysis load settings report target

.PHONY: help demo ui serve check units unit-a-to-p unit-q-to-z lint-and-doctests doctests test test-all parts $(PARTS) $(TIMING_PARTS) coverage \
	long pythons lint format bench bench-against bench-watched bench-lag properties fuzz soak train clean

help: ## List the commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(RUN_STAMP) ## Fire 1,000 MNIST images at the embedded model server and print the error rate.
	$(BIN)/locust -f locustfile.py --headless -u 4 -r 4 --num-tests 1000

ui: $(RUN_STAMP) ## Open Locust's web UI on http://127.0.0.1:8089, with the embedded server as the target.
	$(BIN)/locust -f locustfile.py

serve: $(RUN_STAMP) ## Serve the shipped model on 127.0.0.1:8500 until Ctrl-C.
	$(BIN)/python -m tfsload.modelserver --port=8500 --model_name=mnist --model_base_path=models/mnist \
		--grpc_max_threads=256

# Where a property is held against examples, a few of them are looked at here, and all by `make test`; of tables whose
# rows take long (marked `heavy`) the first row, and all by `make test-all`.
check: $(DEV_STAMP) ## Check style, types, the unit tests and the doctests: after each change, under a minute.
	$(MAKE) --no-print-directory -j2 --output-sync=target lint-and-doctests unit-a-to-p unit-q-to-z

# As `check` without what looks at the text of the code, which no other Python changes.
units: $(DEV_STAMP)
	$(MAKE) --no-print-directory -j2 --output-sync=target doctests unit-a-to-p unit-q-to-z

unit-a-to-p unit-q-to-z: unit-%:
	$(BIN)/python -m pytest -q --rows=1 --hypothesis-profile=quick tests/unit/test_[$(subst -to-,-,$*)]*.py

lint-and-doctests: lint doctests

doctests:
	$(BIN)/python -m pytest -q --doctest-modules $(addprefix tfsload/,$(PURE_ROOMS))

# Rows of one table mostly start the same processes with other arguments, or draw the same page of other runs: one of
# them shows whether it still works.
test: $(DEV_STAMP) ## Run all tests, but of tables whose rows take long the first row alone.
	$(MAKE) --no-print-directory parts ROWS=--rows=1

test-all: $(DEV_STAMP) ## Run all tests with all their rows, but the long ones: half an hour.
	$(MAKE) --no-print-directory parts

# Tests wait more than they compute, so parts run beside one another. What depends on timing runs by itself, two at a
# time where it waits for what others do, and alone where the time that something takes is what is looked at.
parts:
	$(MAKE) --no-print-directory -j3 $(PARTS) doctests
	$(MAKE) --no-print-directory -j2 $(TIMING_PARTS)
	$(BIN)/python -m pytest $(ROWS) -m "timing and not long" tests/unit tests/contract tests/truth

process-a-to-h process-i-to-k process-l-to-o process-p-to-r process-s-to-z: process-%:
	$(BIN)/python -m pytest $(ROWS) -m "not timing and not long" tests/process/test_[$(subst -to-,-,$*)]*.py

timing-t-to-z timing-a-to-s: timing-%:
	$(BIN)/python -m pytest $(ROWS) -m "timing and not long" tests/process/test_[$(subst -to-,-,$*)]*.py

timing-browser:
	$(BIN)/python -m pytest $(ROWS) -m "timing and not long" tests/browser

unit contract truth browser:
	$(BIN)/python -m pytest $(ROWS) -m "not timing and not long" tests/$@

# Each process writes down what it ran, also those that fork or leave at once; slower than the tests alone.
coverage: $(DEV_STAMP) ## Run all tests but the long ones, and say what code they do not run.
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

long: $(DEV_STAMP) ## Run the tests that take too long for every run.
	$(BIN)/python -m pytest -m long

pythons: ## Try each supported Python that this machine has, 2 GB each (all, or PYTHONS="3.12 3.13").
	$(PYTHON) -m tests.long.pythons $(PYTHONS)

lint: $(DEV_STAMP) ## Check style, format and types.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(DEV_STAMP) ## Format the code.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(RUN_STAMP) ## Compare the load generator's own speed with others' (nghttpd is needed; some minutes).
	$(BIN)/python -m benchmarks.compare --output benchmarks/RESULTS.md

bench-against: $(RUN_STAMP) ## Hold the speed against another commit's (COMMIT=main; nghttpd is needed; ten minutes).
	$(BIN)/python -m benchmarks.against $(or $(COMMIT),main)

bench-watched: $(RUN_STAMP) ## Say what watching a run in the web UI costs it (nghttpd is needed; five minutes).
	$(BIN)/python -m benchmarks.watched

bench-lag: $(RUN_STAMP) ## Say how late requests leave by each --pacing, and its cost (nghttpd is needed; five minutes).
	$(BIN)/python -m benchmarks.lag

properties: $(DEV_STAMP) ## Hold every property against twenty times as many examples (half an hour).
	$(BIN)/python -m pytest -q -m "hypothesis and not long" --hypothesis-profile=deep tests/unit tests/contract

fuzz: $(DEV_STAMP) ## Throw hostile servers at the gRPC channel for an hour (MINUTES=60).
	$(BIN)/python -m tests.long.fuzz_channel --minutes $(or $(MINUTES),60)

soak: $(DEV_STAMP) ## Run at full rate for five minutes and watch memory (nghttpd is needed; MINUTES=5).
	$(BIN)/python -m tests.long.soak --minutes $(or $(MINUTES),5)

train: $(RUN_STAMP) ## Train the shipped model anew (about a minute), as version 2, which servers then prefer.
	$(BIN)/python -m models.training --version 2

clean: ## Remove the environment, and those of `make pythons`.
	rm -rf $(VENV) .venv-3.*

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "tfsload: $(PYTHON) is $$($(PYTHON) --version 2>&1), expected Python 3.11 to 3.13:" \
			"make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@echo "Installing about 2 GB of packages, TensorFlow among them; this takes a minute or more."

$(RUN_STAMP): requirements.txt constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUN_STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt -c constraints.txt
	@touch $@
