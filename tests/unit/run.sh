#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs unit test programs (cmocka), one line each, and says what came of all.
# A failing one's whole output follows its line.  As many at a time as there
# are processors: half of the time of some is waiting for a disk or a child.
#
#	run.sh BINARY...
set -u

# The numbers before "test(s)" on the lines of $out that match $1, summed.
count() {
	sed -n "s/^\[ *$1 *\].*[^0-9]\([0-9][0-9]*\) test(s).*/\1/p" "$out" |
	awk '{ n += $1 } END { print n + 0 }'
}

# Runs the program $1; its "passed failed" goes to a file of its name in $tmp.
run() {
	name=${1##*/}
	out=$tmp/$name.out
	"$1" >"$out" 2>&1
	status=$?
	ok=$(count PASSED)
	bad=$(count FAILED)
	# A crash, or a leak found at the end, fails without naming a test.
	if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
	fi
	# A program that ran nothing proves nothing.
	if [ "$ok" -eq 0 ] && [ "$bad" -eq 0 ]; then
		bad=1
		echo "no test ran" >>"$out"
	fi
	echo "$ok $bad" >"$tmp/$name.count"
	if [ "$bad" -eq 0 ]; then
		echo "  PASS      $name ($ok)"
		return
	fi
	# In one piece, whoever else writes
	printf '%s\n%s\n' "  FAIL      $name ($bad failed, $ok passed, exit status $status)" \
	    "$(sed 's/^/	/' "$out")"
}

if [ -n "${DINV_UNIT_TMP-}" ]; then
	tmp=$DINV_UNIT_TMP
	run "$1"
	exit 0
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
export DINV_UNIT_TMP="$tmp"
[ $# -eq 0 ] || printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 sh "$0"
# One that is not counted was not run, or its runner was killed.
cat "$tmp"/*.count 2>/dev/null | awk -v programs=$# '
	{ passed += $1; failed += $2 }
	END {
		failed += programs - NR
		printf "%d passed, %d failed\n", passed, failed
		exit failed > 0 || passed == 0
	}'
