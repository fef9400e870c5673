#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes several goals at the same time: much of the end-to-end tests is
# waiting.  Each line says whose it is, and comes when it is written.
#
#	MAKE=make together.sh GOAL...
#
# Every goal is made to its end, whatever becomes of the others; fails if one
# did.
set -u

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM

one() {
	since=$(date +%s)
	# What it printed comes first, by its own way through the pipe.
	${MAKE:-make} --no-print-directory "$1" 2>&1
	status=$?
	echo $status >"$tmp/$1"
	echo "ended after $(($(date +%s) - since)) s with exit status $status"
}

for goal in "$@"; do
	one "$goal" | sed -u "s/^/$goal: /" &
done
wait

failed=
for goal in "$@"; do
	[ "$(cat "$tmp/$goal" 2>/dev/null)" = 0 ] || failed="$failed $goal"
done
[ -z "$failed" ] || {
	echo "failed:$failed" >&2
	exit 1
}
