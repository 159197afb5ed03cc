# Every target sets up what it needs first; nothing has to be run before it.
PYTHON = .venv/bin/python
# What measures time is left out: watched line by line, everything is slower.
COVERING = tests/agents/test_verify.py tests/agents/test_verify_corners.py tests/agents/test_pdf_attacks.py \
	tests/agents/paper/test_verdict.py tests/agents/paper/test_recovery.py tests/agents/paper/test_permit.py \
	tests/agents/paper/test_permit_corners.py tests/spooler/wire/test_golden.py tests/spooler/wire/test_strict.py \
	tests/spooler/wire/test_signed.py tests/spooler/wire/test_grants.py tests/spooler/wire/test_keys.py tests/agents/test_seal_file.py
export PYTHONUTF8 = 1
MAKEFLAGS += --no-print-directory

.PHONY: setup demo test coverage fuzz mutate lint format bench bench-faults soak crash simulate pictures lock

setup:           ## Debian packages and .venv/, only what is missing
	@./setup.sh

demo: setup      ## two registries, three halls, real samples, start to end (DEMO="--lang en" for English)
	@$(PYTHON) -m spooler.sandbox.demo $(DEMO)

test: setup      ## all tests, on private RabbitMQs and private cupsds, two files at a time (TESTS=tests/agents for a part, one at a time)
	@$(PYTHON) -m pytest -m "not soak and not bench" $(if $(TESTS),$(TESTS),-n 2 --dist loadfile --no-loadscope-reorder)

coverage: setup  ## branches of verification, envelope and recovery: all of them are taken by tests, or it fails
	@$(PYTHON) -m coverage run -m pytest $(COVERING) -k "not at_once and not 100_ms"
	@$(PYTHON) -m coverage report

fuzz: setup      ## readers of foreign bytes, guided by coverage, a minute each (FUZZ_SECONDS=60, FUZZ="--target envelope")
	@$(PYTHON) -m tests.fuzz $(FUZZ)

mutate: setup    ## what decides, changed in one place at a time: 85 of 100 changes are seen by a test (MUTATE="--minutes 10")
	@$(PYTHON) -m tests.mutation $(MUTATE)

lint: setup      ## style and types
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy

format: setup
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench: setup     ## measurements, with the figures they must hold
	@$(PYTHON) -m pytest -m bench -s $(TESTS)

bench-faults: setup  ## the naive agent and ours under the same kills: lost, twice, asked (about 4 minutes)
	@$(PYTHON) -u -m tests.storm.beside $(FAULTS)

soak: setup      ## long storms of faults (STORM_MINUTES, STORM_JOBS, STORM_EVERY, STORM_SEED)
	@$(PYTHON) -m pytest -m soak -s --timeout=0 $(TESTS)

simulate: setup  ## the county in plain Python, many seeds (SEEDS=100000 FROM=0 JOBS=2)
	@$(PYTHON) -m tests.simulation --seeds $(or $(SEEDS),20000) --from $(or $(FROM),0) --jobs $(or $(JOBS),2)

crash: setup     ## killed 25 times at every crash point, judged by the checker (CRASH="--kills 3 --points agent. --results FILE")
	@$(PYTHON) -m tests.crash.matrix $(CRASH)

pictures: setup  ## docs/pictures made anew from the samples
	@$(PYTHON) -m spooler.sandbox.pictures docs/pictures
	@$(PYTHON) -m tests.spooler.electronic.pictures docs/pictures
	@$(PYTHON) -m tests.spooler.verify_page.pictures docs/pictures

lock:            ## requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links -p /usr/bin/python3.11 -o requirements.lock
