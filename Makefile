# senet-exp. `make help` lists what can be asked for.
CC       ?= cc
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
B        ?= build
SAN      :=
WARN      = -Wall -Wextra -Wshadow -Wconversion -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Werror
ALL       = -std=c11 -D_GNU_SOURCE -I. -MMD -MP -ffp-contract=off $(WARN) $(SAN) $(CFLAGS)
LIBS      = -lyaml -lcjson -ljpeg -lpng -lz -lxxhash -lm -lpthread
DEB_BUILD = gcc make libopenblas-dev libyaml-dev libcjson-dev libjpeg62-turbo-dev libpng-dev zlib1g-dev \
            libxxhash-dev librandom123-dev
DEB_DATA  = dataset-fashion-mnist
DEB_TEST  = check python3 python3-jsonschema python3-yaml
DEB_DRILL = python3 strace
DEB_LINT  = clang-tidy clang-format cppcheck

LIB      := $(patsubst %.c,$(B)/%.o,$(shell find core experiments -name '*.c'))
CLI      := $(patsubst %.c,$(B)/%.o,$(wildcard cli/*.c))
UNITS    := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/test_*.c))
FUZZERS  := $(patsubst %.c,$(B)/%,$(wildcard tests/fuzz/fuzz_*.c))
SOURCES  := $(shell find cli core experiments tests -name '*.[ch]')
BIN      := $(B)/senet-exp

ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif

all: $(BIN)             ## build build/senet-exp

# The compiler takes minutes to instrument unrolled loops that it has optimised.
$(B)/core/kernels/%.o:            ALL += $(if $(SAN),-O1,-O3)
# Each instruction set has a file isa_NAME.c in the folders of core/kernels that need it.
AVX512 = -mavx512f -mavx512vl -mavx512bw -mavx512dq -mfma -mprefer-vector-width=512
$(B)/core/kernels/%/isa_avx2.o $(B)/core/kernels/%/isa_avx2_peak.o: ALL += -mavx2 -mfma
$(B)/core/kernels/%/isa_avx512.o $(B)/core/kernels/%/isa_avx512_peak.o: ALL += $(AVX512)
$(B)/core/kernels/%/isa_avx512_bf16.o $(B)/core/kernels/%/isa_avx512_bf16_peak.o: ALL += $(AVX512) -mavx512bf16

# An instrumented loop shows no peak.
$(B)/core/kernels/%_peak.o: override SAN :=

# No foreign byte reaches the kernels, and clang takes minutes to instrument their unrolled loops.
ifdef FUZZ
$(addprefix $(B)/,$(patsubst %.c,%.o,$(wildcard core/kernels/*/isa_*.c core/kernels/*/*/isa_*.c))): override SAN :=
endif

# The revision of the sources is compiled into this one object, and again when it changes.
REVISION := $(shell git --git-dir=.git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)
$(B)/experiments/results/provenance.o:       ALL += -DSENET_REVISION='"$(REVISION)"'
$(B)/experiments/results/provenance.o:       $(B)/revision
$(B)/revision: FORCE
	@mkdir -p $(@D)
	@echo '$(REVISION)' | cmp -s - $@ || echo '$(REVISION)' > $@

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL) -c $< -o $@

$(B)/libsenet.a: $(LIB)
	@rm -f $@
	ar rcs $@ $^

$(BIN): $(CLI) $(B)/libsenet.a
	$(CC) $(SAN) $(CFLAGS) $^ $(LIBS) -o $@

$(B)/tests/unit/test_%: $(B)/tests/unit/test_%.o $(B)/tests/unit/main.o $(B)/libsenet.a
	$(CC) $(SAN) $(CFLAGS) $^ -lcheck -lsubunit -lrt $(LIBS) -o $@

$(B)/tests/golden/%: $(B)/tests/golden/%.o $(B)/libsenet.a
	$(CC) $(SAN) $(CFLAGS) $^ $(LIBS) -o $@

libs-check: $(LIB) $(CLI)

bench: $(BIN) $(B)/tests/bench/conv_bench ## time the standard networks; writes results/bench/DATE.json
	SENET_EXP=$(BIN) CONV_BENCH=$(B)/tests/bench/conv_bench tests/bench/standard.sh

bench-kernels: $(B)/tests/bench/conv_bench ## convolution kernels beside the reference, layer by layer
	$<

bench-peers: $(BIN) $(B)/tests/bench/conv_bench ## senet-exp beside PyTorch (PEER_PYTHON names interpreters)
	@PEER_PYTHON="$(PEER_PYTHON)" python3 tests/peers/compare.py --program $(BIN) \
	  --layers-program $(B)/tests/bench/conv_bench -o results/bench/peers-$$(date +%F).json $(PEER_ARGS)

$(B)/tests/bench/%: $(B)/tests/bench/%.o $(B)/libsenet.a
	$(CC) -fopenmp $(SAN) $(CFLAGS) $^ $(LIBS) -o $@

quickstart:             ## everything from a bare machine to a first result table
	$(MAKE) deps WHAT="$(DEB_BUILD) $(DEB_DATA)"
	$(MAKE) all
	$(BIN) run configs/quickstart.yaml

test:                   ## everything from a bare machine to all tests run
	$(MAKE) deps
	$(MAKE) check

check: $(BIN) $(UNITS)  ## run the tests; T=grad runs those whose name has grad in it
	@SENET_EXP=$(abspath $(BIN)) UNITS="$(UNITS)" tests/run.sh $(T)

check-san:              ## the same under the address and undefined-behaviour sanitizers
	$(MAKE) check B=$(B)/san SAN='-fsanitize=address,undefined -fno-sanitize-recover=all' CFLAGS='-O1 -g'

drills:                 ## kills, failing system calls, damaged and hostile files, links: DRILL_SEED=N DRILL_TRIES=N DRILL=NAME
	$(MAKE) deps WHAT="$(DEB_BUILD) $(DEB_DRILL)"
	$(MAKE) $(BIN)
	DRILL_SEED=$(DRILL_SEED) DRILL_TRIES=$(DRILL_TRIES) python3 tests/drills/drills.py $(BIN) $(DRILL)

deps:                   ## install the Debian packages that are missing
	@tests/deps.sh $(or $(WHAT),$(DEB_BUILD) $(DEB_DATA) $(DEB_TEST))

# cppcheck does not know that bug_at, which BUG_IF calls, never returns.
lint:                   ## clang-tidy and cppcheck
	@cppcheck --quiet -j $(shell nproc) --std=c11 -I. '-Dbug_at(...)=abort()' --inline-suppr \
	  --enable=warning,performance,portability --suppress=missingIncludeSystem --error-exitcode=1 cli core experiments
	@printf '%s\n' $(filter %.c,$(SOURCES)) | xargs -P $(shell nproc) -n 1 tests/lint.sh

# Generated files are laid out by the scripts that make them.
HAND_WRITTEN = $(filter-out tests/golden/%.h,$(SOURCES))
format:                 ## lay out all sources with clang-format
	@clang-format -i $(HAND_WRITTEN)

format-check:           ## fail where a source is laid out otherwise
	@clang-format --dry-run -Werror $(HAND_WRITTEN)

static:                 ## lint and format-check, from a bare machine
	$(MAKE) deps WHAT="$(DEB_LINT)"
	$(MAKE) format-check
	$(MAKE) lint

$(B)/tests/fuzz/fuzz_%: $(B)/tests/fuzz/fuzz_%.o $(B)/libsenet.a
	$(CC) -fsanitize=fuzzer $(SAN) $(CFLAGS) $^ $(LIBS) -o $@

fuzzers: $(FUZZERS)

fuzz:                   ## build the libFuzzer targets (clang): build/fuzz/tests/fuzz/fuzz_NAME tests/fuzz/seeds/NAME
	$(MAKE) fuzzers FUZZ=1 B=$(B)/fuzz CC=clang CFLAGS='-O1 -g' \
	  SAN='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all'

SHARE = $(DESTDIR)$(PREFIX)/share/senet-exp
install: $(BIN)         ## the program to PREFIX/bin; experiment files, schemas and their descriptions to PREFIX/share/senet-exp
	install -D -s -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin/senet-exp
	find configs results -maxdepth 2 \( -name '*.yaml' -o -name README.md -o -name record.schema.json \) \
	  -exec install -D -m 644 {} $(SHARE)/{} \;
	$(BIN) list schema >$(SHARE)/experiment.schema.json

uninstall:              ## remove what install has copied
	rm -rf $(DESTDIR)$(PREFIX)/bin/senet-exp $(SHARE)

help:                   ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## */\1\t/p' Makefile | expand -t 14

clean:                  ## remove everything that was built
	rm -rf $(B)

.PHONY: all quickstart test check check-san bench bench-kernels bench-peers drills deps lint format format-check static fuzz fuzzers install uninstall help clean FORCE
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
