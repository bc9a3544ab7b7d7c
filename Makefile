# Two commands suffice: `make lab` and `make test`. Everything is set up by itself, once.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
EXTENSION := picsellia_jupyter/labextension/package.json
EXTENSION_SOURCES := $(shell find labextension/src labextension/style labextension/schema -type f 2>/dev/null) \
  labextension/package.json labextension/tsconfig.json labextension/yarn.lock
PIP := $(BIN)/python -m pip --disable-pip-version-check -q install --constraint constraints.txt
LAB_ARGS ?=
# JupyterLab asks a root user, as in a container, to say so.
AS_ROOT := $(if $(filter 0,$(shell id -u)),--allow-root)
PYTEST_ARGS ?=
# Whole files to each process: what a module starts, it starts once. They wait as often as they compute.
TEST_PROCESSES ?= 3
# Under another name: `make -n` would run a line that names it.
AGAIN := $(MAKE) --no-print-directory
# Some machines forbid it; every process of every test would then compile every module anew.
unexport PYTHONDONTWRITEBYTECODE
# The extension's scripts call jlpm and jupyter-builder by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup lab demo test lint style types fix docs pictures notebooks viewer bench bench-quick --quick bench-peers faults compat planted release-check lowest clean chromium postgres compiler

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.installed ## Virtual environment, Node packages, Lab extension, our package

$(VENV)/.python: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	$(PIP) --group dev
	touch $@

labextension/node_modules/.yarn-state.yml: $(VENV)/.python labextension/package.json labextension/yarn.lock
	cd labextension && ../$(BIN)/jlpm install --immutable > /dev/null
	touch $@

$(EXTENSION): labextension/node_modules/.yarn-state.yml $(EXTENSION_SOURCES)
	cd labextension && ../$(BIN)/jlpm build:prod > /dev/null
	touch $@

# An editable install copies the kernelspec and Jupyter's configuration, too.
$(VENV)/.installed: $(VENV)/.python $(EXTENSION) $(wildcard kernels/*/* jupyter-config/*/*)
	$(PIP) --no-build-isolation --editable '.[all]'
	touch $@

lab: setup ## Open JupyterLab on the quickstart, with the demo models in the local platform
	$(BIN)/picsellia-jupyter demo seed
	$(BIN)/jupyter lab $(AS_ROOT) $(LAB_ARGS) notebooks/01_deploy.ipynb

demo: setup ## Run the quickstart headless and write build/quickstart.html
	mkdir -p build
	PICSELLIA_JUPYTER_HOME=$(CURDIR)/build/demo $(BIN)/picsellia-jupyter demo seed
	cd notebooks && PICSELLIA_JUPYTER_HOME=$(CURDIR)/build/demo \
	  ../$(BIN)/jupyter nbconvert --to html --execute --no-prompt 01_deploy.ipynb \
	  --output-dir ../build --output quickstart; \
	  status=$$?; ../$(BIN)/picsellia-jupyter platform stop --home ../build/demo; exit $$status

test: setup chromium postgres compiler style ## Everything CI runs: linters, types, import contracts, all tests
	@# The slow linters beside the tests, which wait now and then; what they say comes last.
	@mkdir -p build
	$(AGAIN) types > build/types.log 2>&1 & linters=$$!; \
	  $(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) --dist loadfile $(PYTEST_ARGS); tested=$$?; \
	  wait $$linters; linted=$$?; cat build/types.log; exit $$((tested ? tested : linted))

lint: style types ## Formatting, linters, strict types, import contracts, TypeScript

style: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: setup
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd labextension && ../$(BIN)/jlpm lint:check

fix: setup ## Format and mend what can be mended by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## Build the documentation in build/site; warnings and broken links are errors
	$(BIN)/python -m docs.site

pictures: setup chromium ## Take the pictures of the documentation anew, from a real JupyterLab
	$(BIN)/python -m tests.browser.pictures

notebooks: setup ## Execute the journeys and the pages of the documentation, and check their outputs
	$(BIN)/python -m pytest tests/journeys $(PYTEST_ARGS)
	$(BIN)/python -m pytest tests/docs/test_pages_run.py --long $(PYTEST_ARGS)

viewer: setup ## Make the viewer's script of its modules; it is kept with them
	cd labextension && node viewer.mjs

bench: setup chromium ## All benchmarks, into benchmarks/RESULTS.md; `make bench -- --quick` or `make bench-quick` in short
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

bench-quick: setup chromium ## The same with smaller data, into build/bench/RESULTS.md
	$(BIN)/python -m benchmarks --quick

# `make bench -- --quick` hands make a target of that name.
ifneq ($(filter --quick,$(MAKECMDGOALS)),)
BENCH_ARGS := --quick
--quick:
	@:
endif

bench-peers: setup ## Install the servers and evaluators that ours are measured beside; no test needs them
	test -x build/peers/bin/python || $(BIN)/python -m venv build/peers
	@# Everybody runs the same torch and onnxruntime: those of this project.
	echo "import site; site.addsitedir('$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')')" \
	  > "$$(build/peers/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/project.pth"
	build/peers/bin/python -m pip --disable-pip-version-check -q install litserve fastapi uvicorn 'ray[serve]' \
	  faster-coco-eval torchmetrics supervision
	@# Its compiled operators are for another torch; torchmetrics needs its Python alone.
	build/peers/bin/python -m pip --disable-pip-version-check -q install --no-deps torchvision==0.28.0

faults: setup postgres compiler ## Kill, cut the power, break disks and images for long; counts what is lost
	$(BIN)/python -m pytest tests/faults tests/localplatform/test_migrations.py tests/localplatform/test_training.py tests/training \
	  tests/serving/test_mutated_images.py tests/serving/test_broken_models.py tests/serving/test_hostile_*.py \
	  --long -s --timeout 3600 $(PYTEST_ARGS)

planted: setup postgres compiler ## Plant about fifty mistakes one by one; each must turn a test red
	$(BIN)/python -m planted $(PLANTED)

build/tools/.installed: $(VENV)/.python
	test -x build/tools/bin/python || $(BIN)/python -m venv build/tools
	@# A new environment has the pip of its Python, which may know no groups.
	build/tools/bin/python -m pip --disable-pip-version-check -q install --constraint constraints.txt --upgrade pip
	build/tools/bin/python -m pip --disable-pip-version-check -q install --constraint constraints.txt --group release
	touch $@

release-check: setup build/tools/.installed ## Build, look into, install per Python and try what is to be released
	$(BIN)/python -m releasing

lowest: setup build/tools/.installed ## The unit tests with the lowest versions that pyproject.toml allows
	$(BIN)/python -m releasing.lowest

compat: setup chromium ## Try the Deploy modal with other versions of JupyterLab, Notebook, ipykernel and IPython
	$(BIN)/python -m tests.compat -- $(PYTEST_ARGS)

chromium:
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null || { \
	  echo "Installing Chromium for the browser tests"; \
	  if [ "$$(id -u)" = 0 ]; then as=; else as="sudo -n"; fi; \
	  $$as apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as apt-get install -y -qq chromium > /dev/null; } || { \
	  echo "No Chromium and no way to install it: the browser tests need one on the PATH."; exit 1; }

# The server's own cluster is not wanted: tests make one of their own.
postgres:
	@ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 || command -v initdb > /dev/null || { \
	  echo "Installing PostgreSQL for the tests"; \
	  if [ "$$(id -u)" = 0 ]; then as=; else as="sudo -n"; fi; \
	  $$as apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as apt-get install -y -qq postgresql > /dev/null; } || \
	  echo "No PostgreSQL and no way to install it: its tests are skipped."

compiler:
	@command -v cc > /dev/null || command -v gcc > /dev/null || { \
	  echo "Installing a C compiler for the fault tests"; \
	  if [ "$$(id -u)" = 0 ]; then as=; else as="sudo -n"; fi; \
	  $$as apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$as apt-get install -y -qq gcc libc6-dev > /dev/null; } || \
	  echo "No C compiler and no way to install it: the tests of power cuts and failing disks are skipped."

clean: ## Remove everything that was made here
	rm -rf $(VENV) build dist labextension/node_modules labextension/lib picsellia_jupyter/labextension
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
