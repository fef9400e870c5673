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

# The Makefile's own rules, with clang, in a build folder of their own.
objects=
for name in $names; do
	rm -f "$build/tests/fuzz/fuzz_$name.o" # no rule knows its headers
	objects="$objects $build/tests/fuzz/fuzz_$name.o"
done
parsers="$build/proxy/http1.o $build/proxy/http1_write.o $build/proxy/body.o
	$build/proxy/conf.o $build/proxy/flags.o $build/proxy/audit_line.o
	$build/proxy/audit_wire.o $build/proxy/audit_link.o
	$build/proxy/audit_fields.o"
MAKEFLAGS='' ${MAKE:-make} --no-print-directory -s -j"$(nproc)" B=$build \
	FLAVOUR=fuzz CC="$clang" EXTRA_CFLAGS="$flags -fsanitize=fuzzer-no-link $san" \
	$build/libpolicy.a $build/libbase.a $parsers $objects

failed=
for name in $names; do
	found=$build/corpus/$name
	log=$build/$name.log
	mkdir -p "$found"
	"$clang" -fsanitize=fuzzer $san -o "$build/fuzz_$name" \
		"$build/tests/fuzz/fuzz_$name.o" $parsers $build/libpolicy.a \
		$build/libbase.a -lcjson -lhttp_parser
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
