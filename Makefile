# SPDX-License-Identifier: Apache-2.0
# "make help" lists what can be made.  V=1 shows commands.

PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
FLAVOUR ?=
# ACCEL=0: Mbed TLS's own primitives, for other processors and for those who
# want nothing else.  It builds beside the other, under build/stock.
ACCEL   ?= $(if $(filter x86_64,$(shell uname -m)),1,0)
B       := build$(if $(filter 0,$(ACCEL)),/stock)$(if $(FLAVOUR),/$(FLAVOUR))
Q       := $(if $(V),,@)
VERSION := 0.1.0

# --- flags -----------------------------------------------------------------

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wpointer-arith -Wcast-qual \
	-Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wvla \
	-Wformat=2 -Wundef -Wconversion -Wno-sign-conversion
HARDEN := -fPIE -fstack-protector-strong -fstack-clash-protection \
	-D_FORTIFY_SOURCE=2 -fno-strict-overflow
OPT := -O2 -g
LDHARDEN := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack
ifeq ($(FLAVOUR),asan)
OPT := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
HARDEN := -fPIE -fstack-protector-strong
else ifeq ($(FLAVOUR),tsan)
OPT := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
HARDEN := -fPIE
else ifeq ($(FLAVOUR),cover)
OPT := -O0 -g --coverage
HARDEN := -fPIE
endif
ifneq ($(CI),)
WARN += -Werror
endif

comma := ,
MBED := build/mbedtls
# -iquote, and proxy/limit.h not limits.h: the system headers keep their names
CPPFLAGS := -iquote . -iquote proxy -iquote policy -iquote certs -D_GNU_SOURCE \
	-DDINV_VERSION='"$(VERSION)"'
MBED_CPPFLAGS := -isystem $(MBED)/src/include \
	-DMBEDTLS_CONFIG_FILE='"dinv_mbedtls_config.h"' -Iproxy/deps \
	$(if $(filter 1,$(ACCEL)),-DDINV_ACCEL -Iproxy/accel)
MBED_A := $(MBED)/libmbed$(if $(filter 0,$(ACCEL)),-stock).a
CFLAGS := -std=c11 $(OPT) $(WARN) $(HARDEN) $(EXTRA_CFLAGS)
LDFLAGS := $(OPT) $(LDHARDEN)

# --- sources ---------------------------------------------------------------

BASE_O   := $(patsubst %.c,$(B)/%.o,$(wildcard proxy/base/*.c))
POLICY_O := $(patsubst %.c,$(B)/%.o,$(wildcard policy/*.c)) \
	$(B)/policy/presets.o
CERTS_O  := $(patsubst %.c,$(B)/%.o,$(wildcard certs/*.c))
PROXY_O  := $(patsubst %.c,$(B)/%.o,$(wildcard proxy/*.c))
PRESETS  := $(wildcard policy/presets/*.json)

LIBS_ACCEL := $(if $(filter 1,$(ACCEL)),-lIPSec_MB -lcrypto \
	-Wl$(comma)--wrap=mbedtls_ecp_mul \
	-Wl$(comma)--wrap=mbedtls_ecp_mul_restartable)
LIBS_PROXY := -levent_core -levent_pthreads -lhttp_parser -lseccomp
LIBS_JSON  := -lcjson
ARCHIVES   := $(B)/libcerts.a $(B)/libpolicy.a $(B)/libbase.a

UNIT      := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_BIN  := $(UNIT:%=$(B)/unit/%)

.PHONY: all help run images images-test test unit e2e check asan \
	asan-unit tsan fuzz bench testssl soak cover format lint install uninstall deb \
	deb-test clean deps
.DELETE_ON_ERROR:
.SECONDARY:

all: $(B)/dinv

help:
	@echo 'make             build build/dinv, with what it needs'
	@echo 'make run         start a dockerd and the gate on 2376, print how to use it'
	@echo 'make images      build the images (NAMES="debian with-ssh", BASE=...)'
	@echo 'make images-test every command of their documents, on them'
	@echo 'make test        unit tests, then end-to-end and images (T=name for some)'
	@echo 'make unit        unit tests alone'
	@echo 'make e2e         end-to-end tests alone (T=name for some)'
	@echo 'make asan        the same tests under ASan and UBSan'
	@echo 'make tsan        the gate under load, watched by TSan (T=name for other tests)'
	@echo 'make fuzz        fuzz parsers and connections (F=json SECS=60)'
	@echo 'make soak        honest and hostile load (MINUTES=2), checksums end to end'
	@echo 'make bench       cost beside other programs, and as it grows (BENCH=scale)'
	@echo 'make testssl     what testssl.sh says of the gate, into docs/testssl.txt'
	@echo 'make cover       line coverage of the unit tests'
	@echo 'make format      clang-format every source'
	@echo 'make lint        layers, banned functions, sizes, format'
	@echo 'make check       lint, test and asan'
	@echo 'make install     into $$DESTDIR$$PREFIX (PREFIX=$(PREFIX)); make uninstall'
	@echo 'make deb         a Debian package in build/; make deb-test tries it'
	@echo 'make clean       remove build/'
	@echo
	@echo 'ACCEL=0 builds on stock Mbed TLS primitives, into build/stock;'
	@echo 'V=1 shows commands; FLAVOUR=asan|tsan|cover builds into build/NAME;'
	@echo 'MBEDTLS_TARBALL=FILE takes Mbed TLS from a file.'

# --- what it needs ---------------------------------------------------------

DEPS := build/.deps$(if $(filter 0,$(ACCEL)),-stock)
$(DEPS): proxy/deps/apt.sh
	$(Q)mkdir -p build
	$(Q)ACCEL=$(ACCEL) sh proxy/deps/apt.sh build
	$(Q)touch $@
deps: $(DEPS)

# Mbed TLS: fetched and unpacked once, compiled with our configuration.
$(MBED)/.unpacked: proxy/deps/mbedtls.sh | $(DEPS)
	$(Q)MBEDTLS_TARBALL='$(MBEDTLS_TARBALL)' sh proxy/deps/mbedtls.sh $(MBED)
	$(Q)touch $@

$(MBED_A): $(MBED)/.unpacked proxy/deps/dinv_mbedtls_config.h \
		proxy/deps/mbedtls.mk $(wildcard proxy/accel/*)
	@echo '  MBEDTLS   $@ (once, about a minute)'
	$(Q)$(MAKE) --no-print-directory -s -f proxy/deps/mbedtls.mk \
		MBED=$(MBED) OUT=$@ ACCEL=$(ACCEL) CC='$(CC)'

# --- rules -----------------------------------------------------------------

$(B)/%.o: %.c $(MBED)/.unpacked Makefile
	@echo '  CC        $<'
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(MBED_CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The presets' texts, as they stand in the repository.
$(B)/policy/presets.c: $(PRESETS) policy/presets.sh
	@mkdir -p $(@D)
	$(Q)sh policy/presets.sh $(PRESETS) > $@

$(B)/policy/presets.o: $(B)/policy/presets.c | $(DEPS)
	@echo '  CC        $<'
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libbase.a: $(BASE_O)
$(B)/libpolicy.a: $(POLICY_O)
$(B)/libcerts.a: $(CERTS_O)
$(B)/libproxy.a: $(filter-out $(B)/proxy/main.o,$(PROXY_O))
$(B)/%.a:
	@echo '  AR        $@'
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/dinv: $(B)/proxy/main.o $(B)/libproxy.a $(ARCHIVES) $(MBED_A)
	@echo '  LD        $@'
	$(Q)$(CC) $(LDFLAGS) -o $@ $(B)/proxy/main.o $(B)/libproxy.a \
		$(ARCHIVES) $(MBED_A) $(LIBS_PROXY) $(LIBS_JSON) $(LIBS_ACCEL) -lpthread

# --- tests -----------------------------------------------------------------

build/.testdeps: proxy/deps/apt.sh
	$(Q)mkdir -p build
	$(Q)sh proxy/deps/apt.sh test
	$(Q)touch $@

# Unit tests of the lower layers link without libevent: that they do is a
# test in itself (docs/architecture.md, layers).
LOW_UNIT := $(filter-out test_proxy_%,$(UNIT))
$(LOW_UNIT:%=$(B)/unit/%): $(B)/unit/%: $(B)/tests/unit/%.o $(ARCHIVES) \
		$(MBED_A)
	@echo '  LD        $@'
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(ARCHIVES) $(MBED_A) \
		$(LIBS_JSON) $(LIBS_ACCEL) -lcmocka -lpthread

# Its world is the fuzzer's: a loop, TLS and system calls that the linker puts
# in the place of the real ones.
CONN_O := $(patsubst %.c,$(B)/%.o,tests/fuzz/fuzz_conn.c \
	$(wildcard tests/fuzz/conn/*.c))
$(B)/unit/test_proxy_conn: $(B)/tests/unit/test_proxy_conn.o $(CONN_O) \
		$(B)/libproxy.a $(ARCHIVES) $(MBED_A) tests/fuzz/conn/wrapped
	@echo '  LD        $@'
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter-out %/wrapped,$^) \
		-Wl,@tests/fuzz/conn/wrapped $(LIBS_PROXY) $(LIBS_JSON) \
		$(LIBS_ACCEL) -lcmocka -lpthread

$(filter-out %/test_proxy_conn,$(filter \
		$(B)/unit/test_proxy_%,$(UNIT_BIN))): $(B)/unit/%: \
		$(B)/tests/unit/%.o $(B)/libproxy.a $(ARCHIVES) $(MBED_A)
	@echo '  LD        $@'
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $< $(B)/libproxy.a $(ARCHIVES) \
		$(MBED_A) $(LIBS_PROXY) $(LIBS_JSON) $(LIBS_ACCEL) -lcmocka -lpthread

$(UNIT:%=$(B)/tests/unit/%.o): | build/.testdeps

# T=name: the programs whose name holds it
UNIT_RUN := $(foreach u,$(UNIT_BIN),$(if $(findstring $(T),$(u)),$(u)))
unit: $(if $(T),$(UNIT_RUN),$(UNIT_BIN))
	$(Q)sh tests/unit/run.sh $(if $(T),$(UNIT_RUN),$(UNIT_BIN))

e2e: $(B)/dinv build/.testdeps
	$(Q)DINV=$(CURDIR)/$(B)/dinv sh tests/integration/run.sh $(if $(T),-k '$(T)')

images-test: $(B)/dinv build/.testdeps
	$(Q)DINV=$(CURDIR)/$(B)/dinv sh tests/images/run.sh \
		$(if $(T),-k '$(T)')

# The end-to-end tests and the images' at the same time
test: $(B)/dinv build/.testdeps
	$(Q)$(MAKE) --no-print-directory unit
	$(Q)MAKE='$(MAKE)' sh tests/together.sh e2e \
		$(if $(FLAVOUR),,images-test)

asan:
	$(Q)$(MAKE) --no-print-directory FLAVOUR=asan test

asan-unit:
	$(Q)$(MAKE) --no-print-directory FLAVOUR=asan unit

# What has threads work at the same time: reloads and revocations under load,
# metrics that are read meanwhile, audit files that move, enrolment, the end.
# A race ends its gate with a status that its test does not take.
TSAN_T := reload_is_whole or revoked_client or told_to_reload or metrics_are \
	or token_gets or records_reach or sigterm
tsan:
	$(Q)$(MAKE) --no-print-directory FLAVOUR=tsan e2e \
		T='$(or $(T),$(TSAN_T))'

check: lint test asan

run: $(B)/dinv
	$(Q)sh proxy/deps/run.sh $(CURDIR)/$(B)/dinv $(RUN_FLAGS)

# PREBUILT=0: docker build compiles dinv itself, from the sources
images: $(if $(filter 0,$(PREBUILT)),,$(B)/dinv)
	$(Q)sh images/make.sh '$(if $(filter 0,$(PREBUILT)),,$(B)/dinv)' $(NAMES)

fuzz cover: %: $(B)/dinv
	$(Q)sh tests/$*.sh

# Honest and hostile load for so long: nothing is lost, nothing grows.
MINUTES ?= 2
soak: $(B)/dinv build/.testdeps
	$(Q)DINV=$(CURDIR)/$(B)/dinv sh tests/soak/run.sh $(MINUTES)

bench: $(B)/dinv
	$(Q)sh bench/run.sh

testssl: $(B)/dinv
	$(Q)sh tests/testssl.sh $(CURDIR)/$(B)/dinv

# --- keeping the house -----------------------------------------------------

SOURCES := $(wildcard proxy/*.[ch] proxy/base/*.[ch] policy/*.[ch] \
	certs/*.[ch] tests/unit/*.[ch] tests/fuzz/*.[ch] tests/fuzz/*/*.[ch] \
	bench/*.[ch])

format:
	$(Q)clang-format -i $(SOURCES)

lint:
	$(Q)sh tests/lint.sh

install uninstall: %install: $(B)/dinv
	$(Q)DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' \
		sh images/install.sh $@ $(B)/dinv

# A Debian package of what is built; DEB_VERSION=1.2 names it otherwise.
DEB_VERSION ?= $(VERSION)
deb: $(B)/dinv
	$(Q)sh images/deb/build.sh $(B)/dinv '$(DEB_VERSION)' $(B)

# Installs it on a Debian of its own, under a systemd of its own: minutes the
# first time (debootstrap), kept in build/host.
deb-test: $(B)/dinv build/.testdeps
	$(Q)sh tests/integration/host.sh build/host
	$(Q)DINV_DEBIAN=$(CURDIR)/build/host/debian \
		$(MAKE) --no-print-directory e2e T=debian_host

clean:
	rm -rf build

-include $(patsubst %.o,%.d,$(BASE_O) $(POLICY_O) $(CERTS_O) $(PROXY_O) \
	$(UNIT:%=$(B)/tests/unit/%.o) $(CONN_O))
