# The only task runner: people, CI and the commit hooks call the same targets. It needs Python 3.11
# or newer, make and Rust; everything else is installed into $(VENV).

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
UV := $(BIN)/uv

# uv, maturin and PyO3 find the environment by this name; the caller's environment is not mixed in.
export VIRTUAL_ENV := $(abspath $(VENV))
unexport CONDA_PREFIX PYTHONHOME PYTHONPATH

# A machine that builds once has no use for what makes the next build faster.
ifdef CI
export CARGO_INCREMENTAL := 0
endif

INSTALL := $(UV) pip install --quiet --requirements pyproject.toml
MYPY := $(BIN)/python -m mypy

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

TOO_OLD := fastmlp needs Python 3.11 or newer; choose one with make PYTHON=python3.x

$(UV):
	@$(PYTHON) -c "import sys; sys.version_info >= (3, 11) or sys.exit('$(TOO_OLD)')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet uv

# No stamp files: an installer that has nothing to do takes a fifth of a second.
.PHONY: env-build
env-build: $(UV)
	$(INSTALL) --group build

.PHONY: env-all
env-all: $(UV)
	$(INSTALL) --extra all

.PHONY: env-bench
env-bench: $(UV)
	$(INSTALL) --extra bench

.PHONY: env-bench-tables
env-bench-tables: $(UV)
	$(INSTALL) --extra bench-tables

.PHONY: env-quick
env-quick: $(UV)
	$(INSTALL) --group quick

.PHONY: env
env: env-build ## Make the environment with all that the tests and linters need
	$(INSTALL) --extra test --group build --group lint

# Built at every call, because only cargo knows whether something changed (a second if nothing did).
# Installed editable, so that a change of Python code needs no build, and in release mode, so that
# the tested code is the shipped code. Python would prefer a binary with one interpreter's own ABI
# to the portable one: those are deleted first, and a failed build leaves none behind.
.PHONY: build
build: env-build ## Build the Rust code in release mode and install the package, editable
	rm -f python/fastmlp/_core*.so python/fastmlp/_core*.pyd
	$(BIN)/maturin develop --release --uv

.PHONY: demo
demo: build env-all ## Show the whole lesson: data, training, metrics and plots, written to lesson/
	$(BIN)/fastmlp demo

.PHONY: picture
picture: build env-all ## Redraw the picture of README.md
	$(BIN)/fastmlp demo --output target/picture
	cp target/picture/decision_boundary.png docs/boundary.png

.PHONY: test
test: lint test-rust test-py ## Run the linters and all tests

# Files that import nothing beyond NumPy and pytest.
BEYOND_NUMPY := hypothesis|joblib|matplotlib|pandas|polars|scipy|sklearn|threadpoolctl|torch
QUICK_TESTS = $(shell grep -LE '^ *(import|from) ($(BEYOND_NUMPY))' \
	tests/core/test_*.py tests/test_model.py)

.PHONY: test-quick
test-quick: build env-quick ## Run the tests that need NumPy and pytest alone, under a minute
	$(BIN)/python -m pytest $(QUICK_TESTS) $(ARGS)

.PHONY: test-rust
test-rust: $(UV) ## Run the Rust tests and the examples in the Rust documentation
	cargo test --workspace --locked

.PHONY: test-py
test-py: build env ## Run the Python tests (ARGS="-k name" chooses)
	$(BIN)/python -m pytest $(ARGS)

.PHONY: test-browser
test-browser: build env-all ## Open the pages that the package writes in Chromium; pictures in target/browser
	@command -v chromedriver > /dev/null || \
		{ echo "chromedriver is not installed: install chromium and chromium-driver"; exit 1; }
	$(INSTALL) --group quick --group browser
	$(BIN)/python -m pytest tests/browser $(ARGS)

# Processors emulated by QEMU, without the features that its emulation lacks and would warn about.
QEMU := qemu-x86_64
WITH_FMA := Haswell,-pcid,-x2apic,-tsc-deadline,-hle,-rtm,-invpcid
WITHOUT_FMA := SandyBridge,-x2apic,-tsc-deadline

.PHONY: test-cpus
test-cpus: build env ## Compare the bits of training with those of a processor without AVX-512
	@command -v $(QEMU) > /dev/null || { echo "$(QEMU) is not installed: install qemu-user"; exit 1; }
	@set -e; native=$$($(BIN)/python tests/bits.py); echo "this processor $$native"; \
	haswell=$$($(QEMU) -cpu $(WITH_FMA) $(BIN)/python tests/bits.py); echo "AVX2 and FMA   $$haswell"; \
	portable=$$($(QEMU) -cpu $(WITHOUT_FMA) $(BIN)/python tests/bits.py); echo "neither        $$portable"; \
	test "$$native" = "$$haswell"

# Runs a program on a processor that has AVX-512, as "sde64 -spr --" does; empty where this one has it.
EMULATOR ?=

.PHONY: test-avx512
test-avx512: build env-quick ## Compare the bits of AVX-512 with those of AVX2, which both must be there
	FASTMLP_REQUIRE_ISA=avx512 $(if $(EMULATOR),CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="$(EMULATOR)") \
		cargo test --package fastmlp-core --lib --locked -- kernels:: numbers::
	FASTMLP_REQUIRE_ISA=avx512 $(EMULATOR) $(BIN)/python -m pytest tests/core/test_determinism.py

.PHONY: test-exhaustive
test-exhaustive: $(UV) ## Compare mathematical functions with wider ones for all 2^32 arguments, some minutes
	cargo test --package fastmlp-core --lib --release --locked -- --ignored

# The stable rustc has unstable features behind the switch that its own build uses.
UNSTABLE := RUSTC_BOOTSTRAP=1
FUZZ_SECONDS ?= 20
FUZZ_LIMITS := -timeout=1 -malloc_limit_mb=64 -max_len=16384
# Half as many inputs again in the same time; running a crash alone shows where its memory is from.
FUZZ_ASAN := malloc_context_size=0:detect_stack_use_after_return=0

.PHONY: fuzz
fuzz: build env ## Feed the loader and the binding malformed data (FUZZ_SECONDS=20)
	@command -v cargo-fuzz > /dev/null || { echo "install it: cargo install cargo-fuzz --locked"; exit 1; }
	mkdir -p fuzz/corpus/load
	ASAN_OPTIONS=$(FUZZ_ASAN) $(UNSTABLE) cargo fuzz run --target-dir target/fuzz load fuzz/corpus/load tests/golden \
		-- -max_total_time=$(FUZZ_SECONDS) -dict=fuzz/load.dict $(FUZZ_LIMITS)
	$(BIN)/python -m pytest $(wildcard tests/core/test_*fuzz.py) --hypothesis-profile=fuzz --timeout=0 $(ARGS)

HOST = $(shell rustc -vV | sed -n 's/^host: //p')
ASAN := target/asan
# Some tests are about refused memory, and Python frees little of its own memory at the end.
ASAN_OPTIONS := allocator_may_return_null=1:detect_leaks=0:log_path=$(abspath $(ASAN))/report
# Other packages throw C++ exceptions, which the sanitizer handles if it finds the library that
# throws.
ASAN_PRELOAD = $(shell gcc -print-file-name=libasan.so) $(shell gcc -print-file-name=libstdc++.so)
# All tests except those that measure or limit memory, because the sanitizer uses its own, those
# that measure time, which refuse a binary with assertions, and those that build another binary.
ASAN_TESTS := --ignore=tests/scale --ignore=tests/core/test_memory.py --ignore=tests/test_benches.py --ignore=tests/test_wheel.py \
	-k "not the_system_refuses"

.PHONY: asan
asan: env ## Run the Python tests with AddressSanitizer and all assertions in the binary
	$(UNSTABLE) RUSTFLAGS=-Zsanitizer=address cargo build --package fastmlp-py --locked \
		--profile asan --target $(HOST) --target-dir $(ASAN)
	rm -rf $(ASAN)/python $(ASAN)/report.*
	cp -r python $(ASAN)/python && rm -f $(ASAN)/python/fastmlp/_core*.so
	cp $(ASAN)/$(HOST)/asan/lib_core.so $(ASAN)/python/fastmlp/_core.abi3.so
	ASAN_OPTIONS=$(ASAN_OPTIONS) LD_PRELOAD="$(ASAN_PRELOAD)" PYTHONMALLOC=malloc \
		PYTHONPATH=$(abspath $(ASAN))/python $(BIN)/python -m pytest --timeout=0 $(or $(ARGS),$(ASAN_TESTS))
	@! grep --no-filename --after-context=50 "ERROR: AddressSanitizer" $(ASAN)/report.* 2> /dev/null

VALGRIND := valgrind --quiet --error-exitcode=9 --suppressions=tests/valgrind.supp
VALGRIND_TESTS := tests/core/test_zero_copy.py tests/core/test_views.py \
	tests/core/test_optimizers.py tests/core/test_network_file.py -k "not every and not memory"

.PHONY: valgrind
valgrind: build env ## Run some Python tests under valgrind, which detects uninitialised numbers
	PYTHONMALLOC=malloc $(VALGRIND) $(BIN)/python -m pytest --timeout=0 $(or $(ARGS),$(VALGRIND_TESTS))

.PHONY: kills
kills: build env ## Kill 200 saves, interrupt 400 trainings, and count damaged files
	$(BIN)/python tests/kills.py 200 400

.PHONY: free-threaded
free-threaded: ## Check that the binding compiles for an interpreter without a global lock
	PYO3_CONFIG_FILE=$(abspath rust/py/free-threaded.txt) cargo clippy --package fastmlp-py \
		--no-default-features --locked --target-dir target/free-threaded -- --deny warnings

.PHONY: lint
lint: lint-rust lint-py ## Check layout, style and types, and the stub against the binary

# An archive that is not read: libFuzzer itself, in C++, is not compiled.
NO_LIBFUZZER := CUSTOM_LIBFUZZER_PATH=target/libfuzzer.a

.PHONY: lint-rust
lint-rust: $(UV)
	cargo fmt --all --check
	cargo fmt --manifest-path benches/gemm/Cargo.toml --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- --deny warnings
	cargo clippy --manifest-path benches/gemm/Cargo.toml --locked --target-dir target/gemm -- --deny warnings
	$(NO_LIBFUZZER) cargo clippy --manifest-path fuzz/Cargo.toml --locked --target-dir target/fuzz -- --deny warnings
	$(BIN)/python tests/imports.py rust/core/src rust/py/src

.PHONY: lint-py
lint-py: build env
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(MYPY)
	$(MYPY).stubtest fastmlp._core --allowlist tests/typing/stubtest_allowlist.txt

.PHONY: fmt
fmt: env ## Format the code and fix what the linters can fix
	cargo fmt --all
	cargo fmt --manifest-path benches/gemm/Cargo.toml
	cargo fmt --manifest-path fuzz/Cargo.toml
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: bench
bench: build env-bench ## Compare this package with its peers (ARGS="--cases a,b --threads 1")
	$(BIN)/python -m benches.compare $(ARGS)

.PHONY: bench-smoke
bench-smoke: build env-bench ## The same in some minutes, to see that all runs; no figures worth noting
	$(BIN)/python -m benches.compare smoke $(ARGS)

.PHONY: bench-estimators
bench-estimators: build env-all ## Compare the estimators with scikit-learn's, one thread and two, and with AVX2 kernels
	$(BIN)/python -m benches.compare.estimators $(ARGS)

.PHONY: bench-dqn
bench-dqn: build env-bench ## Compare the loop of deep Q-learning with torch and jax, one thread
	$(BIN)/python -m benches.compare.dqn $(ARGS)

.PHONY: bench-options
bench-options: build env-bench ## Compare dropout, normalisation and AdamW with torch, and all activations
	$(BIN)/python -m benches.compare.options $(ARGS)
	$(BIN)/python -m benches.compare.activations $(ARGS)

.PHONY: bench-tables
bench-tables: build env-bench-tables ## Compare the estimators for tables with boosting and RealMLP, one thread
	$(BIN)/python -m benches.tables $(ARGS)

.PHONY: bench-core
bench-core: ## Measure steps and predictions of the Rust core alone
	cargo bench --package fastmlp-core --locked

.PHONY: bench-gemm
bench-gemm: ## Compare matrix products with those of other crates
	cargo run --release --locked --manifest-path benches/gemm/Cargo.toml --target-dir target/gemm -- $(ARGS)

.PHONY: growth
growth: build ## Measure how time and memory grow with the sizes
	$(BIN)/python -m benches.growth
	$(BIN)/python -m benches.memory

.PHONY: instructions
instructions: $(UV) ## Count the instructions of a step under valgrind (ARGS=--record records)
	cargo build --package fastmlp-core --release --locked --example instructions
	$(BIN)/python -m benches.instructions $(ARGS)

.PHONY: figures
figures: build env-bench ## Measure in full, for the chart of README.md and the tables of docs/3
	$(BIN)/python -m benches.compare --json target/speed.json \
		--chart docs/speed.png --markdown target/speed.md

.PHONY: wheel
wheel: env-build ## Build the wheel and the source distribution into dist/
	$(BIN)/maturin build --release --sdist --out dist

SDIST := target/sdist

.PHONY: check-sdist
check-sdist: env-build ## Compile the source distribution, away from the files beside it
	rm -rf $(SDIST)
	$(BIN)/maturin sdist --out $(SDIST)
	tar -xzf $(SDIST)/*.tar.gz -C $(SDIST)
	cd $(SDIST)/fastmlp-*/ && cargo check --workspace --locked --target-dir $(abspath target)

.PHONY: docs
docs: $(UV) ## Build the Rust documentation into target/doc
	RUSTDOCFLAGS="--deny warnings" cargo doc --workspace --no-deps --locked

.PHONY: clean
clean: ## Delete build results; the environment stays
	cargo clean
	rm -rf dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	rm -f python/fastmlp/_core*.so python/fastmlp/_core*.pyd
	find python tests benches examples -name __pycache__ -prune -exec rm -rf {} +
