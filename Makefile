# `make run` and `make test` need nothing but git, make and Python 3.11 or newer.

python = .venv/bin/python

.PHONY: help run demo test lint ci bench evaluate soak screenshots requirements

help:
	@echo "make run       start watchlog on http://127.0.0.1:8000 (PORT=8001 for another port)"
	@echo "make demo      the same with a made-up history, without internet"
	@echo "make test      set up and run the tests"
	@echo "make lint      ruff and mypy"
	@echo "make ci        everything that CI runs"
	@echo "make bench     what imports and pages cost, beside plain SQL and small libraries"
	@echo "make soak      what takes too long for CI: fuzz, kills and a crowd (ONLY=kills KILLS=100)"
	@echo "make evaluate  how right titles are read and matched, on the shared folder"
	@echo "make screenshots  pictures of every page, into the folder screenshots"

run:
	@sh scripts/install.sh requirements.txt
	@$(python) -m scripts.run

demo:
	@sh scripts/install.sh requirements.txt
	@$(python) -m scripts.demo

test:
	@sh scripts/install.sh requirements-dev.txt
	@$(python) -m pytest -m "not browser"

lint:
	@sh scripts/install.sh requirements-dev.txt
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@$(python) -m mypy .

ci:
	@bash .ci/run

bench:
	@sh scripts/install.sh requirements-dev.txt
	@$(python) -m scripts.bench

evaluate:
	@sh scripts/install.sh requirements-dev.txt
	@$(python) -m scripts.evaluate

soak:
	@sh scripts/install.sh requirements-dev.txt
	@$(python) -m scripts.soak $(if $(ONLY),--only $(ONLY)) $(if $(KILLS),--kills $(KILLS))

screenshots:
	@sh scripts/install.sh requirements-dev.txt
	@$(python) -m scripts.screenshots

# After a change to requirements.in or requirements-dev.in.
requirements:
	@sh scripts/install.sh requirements-dev.txt
	@$(python) -m piptools compile --quiet --generate-hashes --strip-extras --no-header --no-emit-find-links --no-emit-index-url --no-emit-trusted-host --output-file requirements.txt requirements.in
	@$(python) -m piptools compile --quiet --generate-hashes --strip-extras --no-header --no-emit-find-links --no-emit-index-url --no-emit-trusted-host --allow-unsafe --output-file requirements-dev.txt requirements-dev.in
