#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Line coverage of the unit tests, file by file, with gcc and gcov alone.
# The end-to-end tests are not counted: proxy/conn*.c and others that only
# they reach look worse here than they are.
#
#	T=json		these unit tests alone
set -eu
cd "$(dirname "$0")/.."

command -v gcov >/dev/null 2>&1 || {
	echo 'cover: gcov is needed; it comes with gcc' >&2
	exit 1
}

build=build/cover
mkdir -p $build
find $build -name '*.gcda' -exec rm -f {} +
MAKEFLAGS='' ${MAKE:-make} --no-print-directory -s -j"$(nproc)" B=$build \
	FLAVOUR=cover CC="${CC:-gcc}" unit ${T:+T="$T"}

# gcov -n prints "File 'x.c'" and "Lines executed:12.34% of 56" in turn.
find $build/proxy $build/policy $build/certs -name '*.gcno' |
while read -r notes; do
	gcov -n -o "$(dirname "$notes")" "$notes" 2>/dev/null
done | awk -v sq="'" '
	/^File / { split($0, part, sq); file = part[2]; next }
	/^Lines executed:/ && file != "" {
		sub(/^Lines executed:/, ""); split($0, part, "% of ")
		# A header is seen from many files: its best counts.
		if (file !~ /^(proxy|policy|certs)\//)
			next
		hit = int(part[1] * part[2] / 100 + 0.5)
		if (!(file in lines) || hit > hits[file]) {
			lines[file] = part[2]; hits[file] = hit
		}
		file = ""
	}
	/^No executable lines/ { file = "" }
	END {
		for (f in lines) {
			printf "%6.1f%%  %5d of %5d  %s\n",
			    100 * hits[f] / lines[f], hits[f], lines[f], f
			all += lines[f]; hit_all += hits[f]
		}
		if (all > 0)
			printf "%6.1f%%  %5d of %5d  ~all\n",
			    100 * hit_all / all, hit_all, all
	}' | sort -k5 | sed 's/~all$/in all/'
