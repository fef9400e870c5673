#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make testssl: what testssl.sh (a Debian package) says of the gate, kept in
# docs/testssl.txt without this machine's name, paths and dates.
#
#	testssl.sh DINV [testssl options]
#
# The gate asks for a client certificate, and testssl.sh 3.0 has none: every
# handshake goes to its end, and the gate refuses behind it.  So there is no
# HTTP to look at, and what is looked at is TLS alone.
set -eu

dinv=$1
shift
here=$(cd "$(dirname "$0")" && pwd -P)
out=${OUT:-$here/../docs/testssl.txt}
port=${PORT:-29443}

command -v testssl >/dev/null || {
	echo 'testssl.sh is missing; type: apt-get install testssl.sh' >&2
	exit 1
}
work=$(mktemp -d /tmp/dinv-testssl.XXXXXX)
gate=
trap '[ -z "$gate" ] || kill "$gate"; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
"$dinv" cert init -certs "$work/certs" -host 127.0.0.1 >/dev/null
"$dinv" gate -listen "tcp://127.0.0.1:$port" -upstream "unix://$work/none" \
	-certs "$work/certs" -policy admin >"$work/log" 2>&1 &
gate=$!
n=0
until grep -q ' ready ' "$work/log"; do
	n=$((n + 1))
	[ $n -lt 100 ] || { cat "$work/log" >&2; exit 1; }
	sleep 0.1
done
TERM=dumb testssl --quiet --color 0 --warnings off --nodns none \
	--add-ca "$work/certs/ca.crt" "$@" "127.0.0.1:$port" >"$work/said" || true
grep -q 'Testing' "$work/said" || { cat "$work/said" >&2; exit 1; }
{
	echo "testssl.sh against dinv gate, both TLS versions: make testssl"
	sed -e 's/^ *Start .*//; s/^ *Done .*//' \
	    -e "s|$work|DIR|g" -e '/^## at /d' -e 's/ at [a-z0-9.-]*:/ at /' \
	    -e '/^No engine or GOST/d' -e '/^ subjectAltName/,/^ Issuer/{/^ Issuer/!d}' \
	    -e 's/[ 	]*$//' "$work/said" | cat -s
} >"$out"
echo "  KEPT      $out"
