#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fuzzes the parsers with libFuzzer, under ASan and UBSan.
#
#	F=json		this target alone (tests/fuzz/fuzz_json.c)
#	SECS=60		seconds for each target (10)
#	CLANG=clang-14	another clang
#
# tests/fuzz/corpus/NAME/ holds the seeds; what libFuzzer finds on top of them
# is kept in build/fuzz/corpus/NAME/.  An input that breaks something is left
# in build/fuzz/NAME-crash-*: run build/fuzz/fuzz_NAME with its path.
set -eu
cd "$(dirname "$0")/.."

secs=${SECS:-10}
clang=${CLANG:-clang}
# F=effect: requests to a real dockerd (tests/integration/effect/).
if [ "${F:-}" = effect ]; then
	DINV_EFFECT_SECS=$secs exec sh tests/integration/run.sh -s -k as_long_as
fi
build=build/fuzz
san='-fsanitize=address,undefined -fno-sanitize-recover=undefined'
flags='-O1 -fno-omit-frame-pointer -U_FORTIFY_SOURCE'

have_libfuzzer() {
	mkdir -p $build
	echo 'int LLVMFuzzerTestOneInput(const char *p, unsigned long n);
	int LLVMFuzzerTestOneInput(const char *p, unsigned long n)
	{ return p && n ? 0 : 0; }' |
	"$clang" -fsanitize=fuzzer,address -x c -o $build/try - 2>/dev/null
}

if ! command -v "$clang" >/dev/null 2>&1 || ! have_libfuzzer; then
	echo 'fuzz: clang with libFuzzer is needed.  On Debian 12, as root:' >&2
	echo '	apt-get install --no-install-recommends clang libclang-rt-14-dev' >&2
	echo '(on Debian 13: clang libclang-rt-19-dev)' >&2
	exit 1
fi

names=${F:-$(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||')}
for name in $names; do
	if [ ! -f "tests/fuzz/fuzz_$name.c" ]; then
		echo "fuzz: no target \"$name\"; there are:" \
		    $(ls tests/fuzz/fuzz_*.c | sed 's|.*/fuzz_||; s|\.c$||') >&2
		exit 2
	fi
done

# What a target has beside its own source: tests/fuzz/NAME/*.c.  fuzz_conn
# brings a loop, TLS and a log of its own, which the linker takes before those
# of libproxy.a, and stands before the calls that NAME/wrapped lists.
objects_of() {
	for source in "tests/fuzz/fuzz_$1.c" "tests/fuzz/$1"/*.c; do
		[ ! -f "$source" ] || echo "$build/${source%.c}.o"
	done
}
link_flags_of() {
	[ -f "tests/fuzz/$1/wrapped" ] || return 0
	echo "-Wl,@tests/fuzz/$1/wrapped"
}

# The Makefile's own rules, with clang, in a build folder of their own.
objects=
for name in $names; do
	rm -f $(objects_of "$name") # no rule knows their headers
	objects="$objects $(objects_of "$name")"
done
archives="$build/libproxy.a $build/libcerts.a $build/libpolicy.a
	$build/libbase.a"
MAKEFLAGS='' ${MAKE:-make} --no-print-directory -s -j"$(nproc)" B=$build \
	FLAVOUR=fuzz CC="$clang" EXTRA_CFLAGS="$flags -fsanitize=fuzzer-no-link $san" \
	$archives $objects
mbedtls=build/mbedtls/libmbed.a
libs='-levent_core -levent_pthreads -lhttp_parser -lcjson -lseccomp -lpthread'
[ ! -f $mbedtls ] && mbedtls=build/mbedtls/libmbed-stock.a ||
	libs="$libs -lIPSec_MB -lcrypto -Wl,--wrap=mbedtls_ecp_mul
	-Wl,--wrap=mbedtls_ecp_mul_restartable"

failed=
for name in $names; do
	found=$build/corpus/$name
	log=$build/$name.log
	mkdir -p "$found"
	"$clang" -fsanitize=fuzzer $san -o "$build/fuzz_$name" \
		$(objects_of "$name") $archives $mbedtls $libs \
		$(link_flags_of "$name")
	if UBSAN_OPTIONS=print_stacktrace=1 "$build/fuzz_$name" \
	    -max_total_time="$secs" -max_len=4096 -timeout=10 \
	    -rss_limit_mb=1024 -artifact_prefix="$build/$name-" \
	    "$found" "tests/fuzz/corpus/$name" >"$log" 2>&1; then
		runs=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$log")
		inputs=$(ls "$found" | wc -l)
		echo "  FUZZ      $name: nothing found, $runs runs," \
		    "$inputs inputs kept"
	else
		failed="$failed $name"
		echo "  FUZZ      $name: FAILED; the end of $log:"
		tail -40 "$log" | sed 's/^/	/'
	fi
done
[ -z "$failed" ] || { echo "fuzz: failed:$failed" >&2; exit 1; }
