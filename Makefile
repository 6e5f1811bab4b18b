# Every target sets up the .venv it needs; a second call with nothing changed neither installs nor asks the network.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_LOG := $(VENV)/install.log
PYTEST_ARGS ?=

# The stamp's name holds a checksum of what was installed, so that a checkout's new file times do not count as a change.
STAMP := $(VENV)/.installed-$(shell cat pyproject.toml constraints.txt | cksum | tr ' ' '-')

DEMO := .demo/fastify
DEMO_DOCS := npm:fastify@5.12.8
DEMO_QUESTION := How do I add a custom error handler?
CHROMIUM := /usr/bin/chromium

.DEFAULT_GOAL := help
.PHONY: help demo test check bench debian clean

help: ## show this list
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)$$/  \1:\2/p' $(MAKEFILE_LIST) | awk -F: '{ printf "%-8s %s\n", $$1, $$2 }'

demo: $(STAMP) ## docs of a published package in, a tuned and measured chatbot out
	$(BIN)/dragoman build $(DEMO_DOCS) --requests 100 --workspace $(DEMO)
	$(BIN)/dragoman ask "$(DEMO_QUESTION)" --workspace $(DEMO)
	@if [ -z "$$CI" ] && [ -t 1 ]; then \
		echo $(BIN)/dragoman chat --workspace $(DEMO); \
		$(BIN)/dragoman chat --workspace $(DEMO); \
	fi

test: $(STAMP) debian ## the tests, slow ones left out (PYTEST_ARGS="-m slow" runs those)
	$(BIN)/python -m pytest $(PYTEST_ARGS)

check: $(STAMP) ## linters, formatting, types, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(STAMP) ## time and peak memory of a build without a language model, as JSON
	rm -rf .demo/bench
	$(BIN)/python benchmarks/measure.py --out .demo/bench.json -- \
		$(BIN)/dragoman build $(DEMO_DOCS) --requests 0 --workspace .demo/bench

clean: ## remove what make made (workspaces elsewhere, and the models fetched, stay)
	rm -rf $(VENV) .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "make: '$(PYTHON)' is `$(PYTHON) --version 2>&1 | head -n 1`; expected Python 3.11 or newer. Name one: make PYTHON=python3.12" >&2; \
		exit 1; }
	@$(BIN)/python -c "import pip" 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing Dragoman and its dependencies into $(VENV) (a minute or two; log: $(PIP_LOG)) ..."
	@$(BIN)/python -m pip install -qq --progress-bar off --log $(PIP_LOG) --disable-pip-version-check \
		-c constraints.txt -e '.[all,dev]' || { echo "make: the installation failed; see $(PIP_LOG)" >&2; exit 1; }
	@rm -f $(VENV)/.installed-*
	@touch $@

# Debian's Chromium for the browser tests, and its Redis for the Argilla server of the tests. Without the one these tests skip and say
# so; without the other a slower stand-in from the package index is used.
debian:
	@missing=; \
	[ -x $(CHROMIUM) ] || missing="chromium"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	[ -z "$$missing" ] && exit; \
	if [ "`id -u`" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing for the tests:" $$missing; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; } >/dev/null \
			|| echo "make: not installed:" $$missing >&2; \
	else \
		echo "make: missing, and apt-get cannot be used here:" $$missing >&2; \
	fi
