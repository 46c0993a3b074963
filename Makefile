# The commands of this project. `make` alone lists them.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
bin := .venv/bin
# Here the package's source; in a project that was copied from here, packages/ holds its wheel.
package := $(wildcard packages/seedbed)
# What .venv holds is remembered: `make setup LOCK=requirements-all.lock` adds the packages of all remotes for good.
held := $(or $(shell cat .venv/lock.txt 2>/dev/null),requirements.lock)
LOCK := $(or $(LOCK),$(held))
# template only
# Three workers on two cores: one of them mostly waits, for a disk or a lock. Tests that share an expensive repository go to
# one worker, so that no other waits for it.
side_by_side := -n 3 --dist loadgroup
# end of template only
compile := $(bin)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
    $(if $(package),--no-emit-package seedbed) --custom-compile-command 'make lock'
every := --workspace --all-branches --all-tags --all-experiments

.PHONY: another-lock help setup hooks repro test test-all test-slow coverage lint bench story show remote push pull lock restore gc

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed  ## create .venv from requirements.lock, or from another: make setup LOCK=requirements-all.lock
	@$(bin)/python -m compileall -q src $(package)

.venv/.installed: $(LOCK) pyproject.toml $(wildcard packages/*.whl packages/*/pyproject.toml) $(if $(filter-out $(LOCK),$(held)),another-lock)
	@$(PYTHON) -c 'import sys; ok = (3, 11) <= sys.version_info[:2] <= (3, 13); sys.exit(None if ok else \
	    "seedbed needs Python 3.11 to 3.13, and this is %d.%d: make setup PYTHON=python3.12" % sys.version_info[:2])'
	@$(PYTHON) -c 'import hashlib, pathlib, re, sys; bad = [wheel for wheel, pinned in re.findall( \
	    r"^(packages/\S+) .\n +--hash=sha256:(\w+)", pathlib.Path("$(LOCK)").read_text(), re.M) for file in [pathlib.Path(wheel)] \
	    if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != pinned]; sys.exit(f"{bad[0]} is not \
	the file whose hash $(LOCK) pins, and nothing was installed. `git checkout HEAD -- packages $(LOCK)` brings both back." if bad else None)'
	@$(bin)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@echo 'installing $(LOCK) into .venv: a minute'
	@rm -f $@ && echo $(LOCK) > .venv/lock.txt
	@sed -n '/^uv==/,/# via/p' $(LOCK) > .venv/uv.txt
	@$(bin)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.txt
	@UV_LINK_MODE=copy $(bin)/python -m uv pip sync --quiet --python $(bin)/python --require-hashes --compile-bytecode $(LOCK)
	@$(bin)/python -m uv pip install --quiet --python $(bin)/python --no-deps --no-build-isolation $(if $(package),--editable $(package)) --editable .
	@# Python 3.11 reads these files in the locale's encoding, and under LC_ALL=C dies of a folder such as /home/jürgen.
	@$(PYTHON) -c 'import os, pathlib; here = os.fsencode(os.getcwd()) + b"/"; \
	    [file.write_bytes(file.read_bytes().replace(here, b"../../../../")) for file in \
	        pathlib.Path(".venv/lib").glob("python*/site-packages/_editable_impl_*.pth")]'
	@touch $@

hooks: setup  ## let `git commit` refuse secrets, large files, bad style and what is out of step
	@$(bin)/pre-commit install

repro: setup  ## run every stage whose inputs, parameters or code changed
	@$(bin)/seedbed repro
	@$(bin)/dvc metrics show

test: setup  ## run the tests (the slow ones apart)
	@$(bin)/python -m pytest $(side_by_side) -m "not slow"

test-all: setup  ## run all tests
	@$(bin)/python -m pytest $(side_by_side)

# template only
test-slow: setup
	@$(bin)/python -m pytest $(side_by_side) -m slow

coverage: setup  ## say how much of src/ the tests of `make test` cover (which then take longer)
	@$(bin)/python -m coverage erase
	@$(bin)/python -m coverage run -m pytest $(side_by_side) -m "not slow"
	@$(bin)/python -m coverage combine --quiet
	@$(bin)/python -m coverage report
# end of template only

lint: setup  ## check style, types, and that locks and parameters are in step
	@$(bin)/ruff check .
	@$(bin)/ruff format --check --quiet .
	@$(bin)/mypy
# template only
	@said=$$($(bin)/lint-imports --no-cache --no-logo) || { echo "$$said"; exit 1; }
# end of template only
ifneq ($(wildcard .github),)
	@$(bin)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@$(bin)/zizmor --offline --quiet .github
endif
ifneq ($(wildcard .gitlab-ci.yml),)
	@$(bin)/check-jsonschema --quiet --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml
endif
	@said=$$(SKIP=conflict-marks,ruff-check,ruff-format,mypy,in-step $(bin)/pre-commit run --all-files) || { echo "$$said"; exit 1; }
	@$(bin)/seedbed check

# template only
bench: setup  ## measure what versioning costs: against one plain script, a plain multirun, DVC's queue
	@$(bin)/python benchmarks/pipeline.py
	@$(bin)/python benchmarks/sweep.py

story: setup  ## play a year of flights month by month: serve, watch, retrain, promote (docs/story.md)
	@$(bin)/python examples/story/play.py
# end of template only

show: setup  ## compare experiments: only the columns that differ, the best first
	@$(bin)/seedbed show

remote: setup  ## set up where data and models are kept: make remote URL=/mnt/share, ssh://, s3:// or gs://
	@$(bin)/seedbed remote $(if $(ENDPOINT_URL),--endpoint-url '$(ENDPOINT_URL)') -- '$(URL)'

push: setup  ## send branch, tags, experiments, data, models and run cache to the remotes
	@$(bin)/seedbed push

pull: setup  ## fetch what was pushed, and check it out
	@$(bin)/seedbed pull

lock: setup  ## resolve the dependencies anew: requirements.lock, and with all extras requirements-all.lock
	@$(compile) --extra dev pyproject.toml -o requirements.lock
	@$(compile) --all-extras --constraints requirements.lock pyproject.toml -o requirements-all.lock

restore: setup  ## bring the last good outputs back after a failed run
	@$(bin)/dvc checkout --force --allow-missing
	@git ls-files --deleted -z -- params.yaml code.yaml reports | xargs -0 -r git checkout --

gc: setup  ## free disk: cached data that no branch, tag or experiment names
	@$(bin)/seedbed idle
	@said=$$($(bin)/dvc gc $(every) --dry 2>&1) || { echo "$$said" >&2; exit 1; }; \
	    unused=$$(echo "$$said" | sed -n 's/^Removing //p'); \
	    printf %s "$$unused" | tr '\n' '\0' | xargs -0 -r du -k | awk '{ files++; size += $$1 } END { printf \
	        "cached files that no branch, tag or experiment names: %d (%.1f MB)\n", files, size / 1024 }'; \
	    if [ -z "$$unused" ]; then exit 0; fi; \
	    if [ -n "$(yes)" ]; then $(bin)/dvc gc $(every) --force --quiet && echo freed; \
	    elif [ -t 0 ]; then $(bin)/dvc gc $(every); \
	    else echo 'Nothing was freed: there is no terminal to ask at. To free them unasked: make gc yes=1' >&2; exit 1; fi
