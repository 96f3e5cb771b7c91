# What a developer types. Everything runs in .venv, which is made from PYTHON; everything lives in STATE.
PYTHON ?= python3
STATE ?= .local
# what top-ups go by: razorpay or cashfree
GATEWAY = razorpay
# what of money out is confirmed there, as docs/confirmations.md has it: above=0,reset_wait_s=86400
CONFIRMATION_RULES =
# whose pages may call the API besides its own: http://localhost:5173,https://app.example
ALLOWED_ORIGINS =
STARTING = --state $(STATE) --gateway $(GATEWAY) $(if $(CONFIRMATION_RULES),--rules $(CONFIRMATION_RULES)) \
	$(if $(ALLOWED_ORIGINS),--origins '$(ALLOWED_ORIGINS)')
# how many workers share the tests: by default one a core, up to four; 0 is none, everything in one process
WORKERS = auto
OLD_ENOUGH = import sys; sys.exit(None if sys.version_info >= (3, 11) else "$(PYTHON) is older than 3.11: make PYTHON=python3.13 …")
SAY_VERSION = import platform; print(platform.python_implementation(), platform.python_version())
# what `make deploy` deploys to, and whether it asks first
STACK_NAME = wallet
CONFIRM = yes
VENV = .venv
BIN = $(VENV)/bin
LOCAL = $(BIN)/python -m local
SAM = SAM_CLI_TELEMETRY=0 SAM_CLI_CHECK_FOR_UPDATES=0 $(BIN)/python -m samcli

.PHONY: help
help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: $(VENV)/made  ## everything, then the money path step by step, then stay up until Ctrl-C
	@$(LOCAL) run $(STARTING)

.PHONY: up
up: $(VENV)/made  ## the same stack in the background; addresses and secrets in .local/stack.json
	@$(LOCAL) up $(STARTING)

.PHONY: down
down: $(VENV)/made  ## end it; data stays for the next time
	@$(LOCAL) down --state $(STATE)

.PHONY: reset
reset: $(VENV)/made  ## end it and delete its data, to begin anew; asks first, FORCE=1 doesn't
	@$(LOCAL) reset --state $(STATE) $(if $(filter-out 0 no,$(FORCE)),--force)

.PHONY: doctor
doctor: python  ## whether a stack can run on this machine, and what is missing
	@$(PYTHON) -c '$(OLD_ENOUGH)'
	@$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m local.doctor --state $(STATE)

.PHONY: status
status: $(VENV)/made  ## what runs, and where
	@$(LOCAL) status --state $(STATE)

.PHONY: walk
walk: $(VENV)/made  ## the money path against the running stack
	@$(LOCAL) walk --state $(STATE)

# as whom a command is given, of meera and ravi, and by which role if not the one whose command it is
OPERATOR = meera
ROLE =

# as it was typed: make would read `owes $500` as the variable `5` and two zeros, and run a `$(shell …)`
unexport COMMAND
export OPERATOR_COMMAND = $(value COMMAND)

.PHONY: operator
operator: $(VENV)/made  ## one of the operator's commands on the running stack; COMMAND='{"command": "pending"}'
	@$(LOCAL) operator "$$OPERATOR_COMMAND" --state $(STATE) --operator $(OPERATOR)$(if $(ROLE), --role $(ROLE))

# as it was typed: an address may have a $ in it, and quotes
unexport URL
export WEBHOOK_URL = $(value URL)

.PHONY: webhook
webhook: $(VENV)/made  ## a merchant's events of the running stack sent to WALLET=wal_… URL=http://…; prints what signs them
	@$(LOCAL) webhook "$(WALLET)" "$$WEBHOOK_URL" --state $(STATE)

.PHONY: audit
audit: $(VENV)/made  ## every promise about the books of the running stack; exit status 1 if one is broken
	@$(LOCAL) audit --state $(STATE)

.PHONY: export
export: $(VENV)/made  ## ledger, checkpoints and public key of the running stack, for a stranger, in .local/export
	@$(LOCAL) export --state $(STATE)

.PHONY: verify
verify: $(VENV)/made  ## what the stranger's verifier says of that
	@$(LOCAL) verify --state $(STATE)

.PHONY: sam-local
sam-local: $(VENV)/made  ## the same functions under `sam local start-api` (Docker), until Ctrl-C
	@$(LOCAL) sam-local --state $(STATE)

.PHONY: test
test: $(VENV)/made  ## unit, integration and end-to-end tests; what they need they start
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) $(TESTS)

.PHONY: test-web
test-web: $(VENV)/made  ## the wallet in a real Chromium, by clicks: every screen, the network cut, light and dark, both languages
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) $(or $(TESTS),tests/web)

.PHONY: screens
screens: $(VENV)/made  ## photograph every screen anew, into docs/screens
	@mkdir -p $(STATE)/screens
	@SCREENS=$(CURDIR)/$(STATE)/screens $(BIN)/python -m pytest --numprocesses 0 -q tests/web/test_every_screen.py
	@PYTHONPATH=.:layers $(BIN)/python -m tests.web.sheets $(STATE)/screens

.PHONY: lighthouse
lighthouse: $(VENV)/made  ## measure the site of the stack that is up, into docs/site-performance.md
	@PYTHONPATH=.:layers $(BIN)/python -m tests.web.lighthouse

.PHONY: test-slow
test-slow: $(VENV)/made  ## restarts of the local stack, `make deploy` against the emulator, short benchmarks: some minutes
	@SLOW=all $(BIN)/python -m pytest tests/faults/test_restarts.py tests/e2e/test_deploying.py tests/integration/test_benchmarks.py

# SEED is what is done and when; without one a new one is made, and printed
.PHONY: faults
faults: $(VENV)/made  ## break a stack of its own from a SEED, for so many MINUTES, and hold its books against what callers were told
	@PYTHONPATH=.:layers:schema $(BIN)/python -m tests.faults $(if $(SEED),--seed $(SEED)) --minutes $(or $(MINUTES),2)

.PHONY: crash-points
crash-points: $(VENV)/made  ## kill the doors at every point, and write docs/crash-points.md anew
	@CRASH_POINTS=write $(BIN)/python -m pytest -q tests/faults/test_crash_points.py

.PHONY: check
check: $(VENV)/made  ## ruff, mypy, the template, the site's types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@# offline, but sam and cfn-lint want a region to check for
	@AWS_DEFAULT_REGION=ap-south-1 $(SAM) validate --lint --template-file template.yaml
	@AWS_DEFAULT_REGION=ap-south-1 $(BIN)/cfn-lint infrastructure/*.yaml
	@$(BIN)/python -m local.site
	@cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm run check --silent

.PHONY: docs
docs: $(VENV)/made  ## the documentation as a site, in .local/site
	@$(BIN)/python -m local.site
	@$(BIN)/python -m local.documentation $(STATE)/site

.PHONY: client
client: $(VENV)/made .clients/venv/made  ## clients/ anew, of the API's document
	@$(BIN)/python -m clients.generate
	@$(BIN)/python -m clients.collection

.PHONY: fuzz-api
fuzz-api: $(VENV)/made .clients/venv/made  ## strange requests to the running stack, made of the API's document: no 5xx, nothing undocumented; SEED, MINUTES
	@PYTHONPATH=.:layers:schema $(BIN)/python -m tests.fuzz --stack $(STATE)/stack.json $(if $(SEED),--seed $(SEED)) --minutes $(or $(MINUTES),5)

BENCHMARKS = payments hot stages movements behind webhooks peers bulk
.PHONY: bench
bench: $(VENV)/made  ## payments a second beside what is promised and beside others, what movements cost, what runs behind them, on private servers: half an hour
	@failed=0; for part in $(BENCHMARKS); do \
		PYTHONPATH=.:layers:schema $(BIN)/python benchmarks/$$part.py --keep || failed=1; \
	done; exit $$failed

.PHONY: performance
performance: $(VENV)/made  ## docs/performance.md anew, of what `make bench` has measured here on each server
	@PYTHONPATH=.:layers $(BIN)/python benchmarks/page.py

.PHONY: mutate
mutate: $(VENV)/made .mutation/venv/made  ## the rules of money broken in every small way; ONLY='wallet.ledger.attempts.*' for some
	@nice -n 10 $(BIN)/python -m tests.mutation.ledger $(ONLY)

.PHONY: mutate-kernel
mutate-kernel: $(VENV)/made  ## the kernel broken on purpose, on the server that `make test` takes
	@PYTHONPATH=.:layers nice -n 10 $(BIN)/python -m tests.mutation.kernel

.PHONY: deploy
deploy: export GIVEN = $(value PARAMETERS)
deploy: $(VENV)/made  ## to AWS, migrations first; PARAMETERS="Name=value 'Name=two words' file://…" STACK_NAME=wallet CONFIRM=no
	@$(LOCAL) deploy --state $(STATE) --stack-name $(STACK_NAME) --confirm $(CONFIRM) $(if $(PYTHON_OF_FUNCTIONS),--python $(PYTHON_OF_FUNCTIONS)) --given="$$GIVEN"

.PHONY: released
released: $(VENV)/made  ## on the day of a release: write down what its code uses of the database, for the migrations after it
	@PYTHONPATH=.:layers:schema $(BIN)/python -m tests.support.compatibility

# What is installed, from what is wanted (*.in): of each version the hashes of every file that its index has, so of all
# systems and Pythons. Versions stay as they are unless UPGRADE is set.
LISTS = layers/requirements layers/passkeys requirements-dev tests/mutation/requirements clients/requirements benchmarks/peers/requirements
.PHONY: requirements
requirements: $(VENV)/made  ## write requirements*.txt, with hashes, from requirements*.in; UPGRADE=1 takes the newest that fit
	@for list in $(LISTS); do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(if $(UPGRADE),--upgrade) \
			--custom-compile-command 'make requirements' --output-file $$list.txt $$list.in || exit 1; \
	done

# a PYTHON that was asked for and isn't the one of .venv is not passed over
.PHONY: python
python:
ifneq ($(origin PYTHON),file)
	@asked=$$($(PYTHON) -c '$(SAY_VERSION)') || { echo 'PYTHON: $(PYTHON) does not run'; exit 1; }; \
	made=$$($(BIN)/python -c '$(SAY_VERSION)' 2>/dev/null) || exit 0; \
	test "$$asked" = "$$made" || { echo "PYTHON=$(PYTHON) is $$asked, but $(VENV) was made from $$made: leave PYTHON out, or delete $(VENV) first"; exit 1; }
endif
	@:

# brought up to date when what it is made from changes; in place, as a stack may be running on it
$(VENV)/made: requirements-dev.txt layers/requirements.txt | python
	@$(PYTHON) -c '$(OLD_ENOUGH)'
	@$(PYTHON) -m local.doctor --quiet --state $(STATE)
	@echo "  making $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements-dev.txt
	@touch $@

# mutmut has one of its own: it wants a newer click than sam does
.mutation/venv/made: tests/mutation/requirements.txt layers/requirements.txt
	@echo "  making .mutation/venv"
	@$(PYTHON) -m venv .mutation/venv
	@.mutation/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement tests/mutation/requirements.txt
	@touch $@

# what reads the API's document has one, too: nothing of the wallet needs it
.clients/venv/made: clients/requirements.txt
	@echo "  making .clients/venv"
	@$(PYTHON) -m venv .clients/venv
	@.clients/venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement clients/requirements.txt
	@touch $@
