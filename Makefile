# Every target prints the plain commands that it runs. `make help` lists them.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What the environment was made from: a change updates it, otherwise it is used again.
RUN_STAMP := $(VENV)/run.stamp
DEV_STAMP := $(VENV)/dev.stamp
# How tests are run; `make coverage` runs them otherwise.
PYTEST := $(BIN)/python -m pytest
# Tests start hundreds of processes: what one has compiled, the others are not to compile again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
# `make test-all` runs these parts, the longest first. Together they are all the test files.
PARTS := process-r process-l-to-o process-s-to-z unit process-a-to-k contract browser process-p-to-q truth
TIMING_PARTS := timing-t-to-z timing-browser timing-a-to-s
# `make check` runs the unit tests in these: some wait, so that four keep two CPUs at work.
UNIT_PARTS := unit-a-to-c unit-d-to-l unit-m-to-r unit-s-to-z
# What holds doctests: the rooms that need no Locust.
PURE_ROOMS := transport datasets records analysis load settings report target

.PHONY: help demo ui serve check units $(UNIT_PARTS) lint-and-doctests doctests test test-all parts $(PARTS) $(TIMING_PARTS) timing-alone coverage \
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

# Where a property is held against examples, a few of them are looked at here; of tables whose rows take long (marked
# `heavy`) the first row; all of both by `make test-all`.
check: $(DEV_STAMP) ## Check style, types, the unit tests and the doctests: after each change, under a minute.
	$(MAKE) --no-print-directory -j4 --output-sync=target lint-and-doctests $(UNIT_PARTS)

# As `check` without what looks at the text of the code, which no other Python changes.
units: $(DEV_STAMP)
	$(MAKE) --no-print-directory -j4 --output-sync=target doctests $(UNIT_PARTS)

$(UNIT_PARTS): unit-%:
	$(BIN)/python -m pytest -q --rows=1 --hypothesis-profile=quick tests/unit/test_[$(subst -to-,-,$*)]*.py

lint-and-doctests: lint doctests

doctests:
	$(BIN)/python -m pytest -q --doctest-modules $(addprefix tfsload/,$(PURE_ROOMS))

# Rows of one table mostly start the same processes with other arguments, or draw the same page of other runs: one of
# them shows whether it still works. So do a few examples of a property.
test: $(DEV_STAMP) ## Run all tests, but of long tables the first row alone, and few examples of properties.
	$(MAKE) --no-print-directory parts ROWS="--rows=1 --hypothesis-profile=quick"

test-all: $(DEV_STAMP) ## Run all tests with all rows and examples, but the long ones: before it goes in.
	$(MAKE) --no-print-directory parts

# Tests wait more than they compute, so parts run beside one another. What depends on timing runs by itself, two at a
# time where it waits for what others do, and alone where the time that something takes is what is looked at.
parts:
	$(MAKE) --no-print-directory -j4 $(PARTS) doctests
	$(MAKE) --no-print-directory -j2 $(TIMING_PARTS)
	$(MAKE) --no-print-directory timing-alone

process-a-to-k process-l-to-o process-p-to-q process-r process-s-to-z: process-%:
	$(PYTEST) $(ROWS) -m "not timing and not long" tests/process/test_[$(subst -to-,-,$*)]*.py

timing-t-to-z timing-a-to-s: timing-%:
	$(PYTEST) $(ROWS) -m "timing and not long" tests/process/test_[$(subst -to-,-,$*)]*.py

timing-browser:
	$(PYTEST) $(ROWS) -m "timing and not long" tests/browser

timing-alone:
	$(PYTEST) $(ROWS) -m "timing and not long" tests/unit tests/contract tests/truth

unit contract truth browser:
	$(PYTEST) $(ROWS) -m "not timing and not long" tests/$@

# Each process writes down what it ran, also those that fork or leave at once; slower than the tests alone. A test that
# fails leaves the others their report: `make test-all` is what judges.
coverage: $(DEV_STAMP) ## Run all tests but the long ones, and say what code they do not run.
	$(BIN)/coverage erase
	-$(MAKE) --no-print-directory --keep-going -j4 $(PARTS) PYTEST="$(BIN)/coverage run -m pytest"
	-$(MAKE) --no-print-directory --keep-going -j3 $(TIMING_PARTS) PYTEST="$(BIN)/coverage run -m pytest"
	-$(MAKE) --no-print-directory timing-alone PYTEST="$(BIN)/coverage run -m pytest"
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

fuzz: $(DEV_STAMP) ## Throw hostile servers at the gRPC channel and the REST client for an hour (MINUTES=60).
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
