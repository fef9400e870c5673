#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs unit test programs (cmocka), one line each, and says what came of all.
# A failing one's whole output follows its line.
#
#	run.sh BINARY...
set -u

out=$(mktemp)
trap 'rm -f "$out"' EXIT
passed=0
failed=0

# The numbers before "test(s)" on the lines of $out that match $1, summed.
count() {
	sed -n "s/^\[ *$1 *\].*[^0-9]\([0-9][0-9]*\) test(s).*/\1/p" "$out" |
	awk '{ n += $1 } END { print n + 0 }'
}

for binary in "$@"; do
	name=${binary##*/}
	"$binary" >"$out" 2>&1
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
	passed=$((passed + ok))
	failed=$((failed + bad))
	if [ "$bad" -eq 0 ]; then
		echo "  PASS      $name ($ok)"
		continue
	fi
	echo "  FAIL      $name ($bad failed, $ok passed, exit status $status)"
	sed 's/^/	/' "$out"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
