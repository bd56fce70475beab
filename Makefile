# Two commands do everything: `make book` and `make test`. Each makes .venv from the lock on first use.
PYTHON ?= python3
STUDY ?= demo
PORT ?= 8000
READY := .venv/ready
# What a cluster's modules set for another Python would come before the packages of .venv.
unexport PYTHONPATH PYTHONHOME

.PHONY: help book pdf slides test lab serve lock clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

book: $(READY)  ## run a study where needed and render its report (STUDY=demo, or another study or run)
	@.venv/bin/cxrseg book $(STUDY)

pdf: book  ## print that report as one PDF, _build/html/report.pdf (needs Chromium or Chrome)
	@.venv/bin/python -m cxrseg.report.pdf

slides: book  ## make slides of the labs, one file each, in _build/slides
	@.venv/bin/python -m cxrseg.report.slides

test: $(READY)  ## run the tests, in three processes
	@.venv/bin/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder

lab: $(READY)  ## copy the labs to labs/ (files already there are kept) and open them in JupyterLab
	@mkdir -p labs; for lab in notebooks/labs/*.ipynb; do [ -e "labs/$${lab##*/}" ] || cp "$$lab" labs/ || exit 1; done
	@.venv/bin/jupyter lab --notebook-dir labs

serve:  ## serve the rendered report at http://localhost:8000 (PORT=8000)
	@test -f _build/html/index.html || { echo "no report yet: run make book first"; exit 1; }
	@echo "http://localhost:$(PORT)"
	@.venv/bin/python -m http.server $(PORT) --bind 127.0.0.1 --directory _build/html

lock: $(READY)  ## resolve the dependencies anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
	  --no-emit-find-links --extra study --extra cpu --extra book --extra export --extra lab --extra codecs --extra nifti --extra seg --extra test --extra dev pyproject.toml -o requirements.lock

clean:  ## delete the report and all of runs/, trained networks included; .venv and labs/ stay
	rm -rf _build book/executed runs .pytest_cache .ruff_cache

# Hatchling comes with the lock, so that building this package fetches nothing that is not hashed.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "cxrseg needs Python 3.11, 3.12 or 3.13, but $(PYTHON) is missing or of another version; with one of these installed: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "installing the locked dependencies into .venv: about two minutes and 3 GB, once"
	@$(PYTHON) -m venv .venv || { echo "no virtual environment could be made; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
