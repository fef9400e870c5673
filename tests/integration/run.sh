#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# End-to-end tests: real clients, a real gate, two real dockerds.
#
#	run.sh [pytest arguments]
#
#	DINV             the gate to test (default build/dinv)
#	DINV_E2E_JOBS    how many test files at a time (default: as many as
#	                 there are processors, up to 4)
#	DINV_E2E_LOOPS   how often a piped run is repeated (default 25)
#
# What Debian 12 lacks (dockerd and docker 26.1, buildx, compose v2, dockerode,
# testcontainers) is unpacked once under build/e2e and used from there; nothing
# is installed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
e2e=$top/build/e2e
export DINV="${DINV:-$top/build/dinv}"

say() {
	echo "run.sh: $*" >&2
}

if [ "$(id -u)" -ne 0 ]; then
	say "these tests start dockerd: run them as root"
	exit 1
fi
if [ ! -x "$DINV" ]; then
	say "$DINV is missing: make builds it"
	exit 1
fi
mkdir -p "$e2e"

sh "$here/newer.sh" "$e2e"

# One at a time, as in newer.sh.
exec 9>"$e2e/lock.node"
flock 9
if ! cmp -s "$here/node/package.json" "$e2e/node/package.json"; then
	echo "  NPM       dockerode, testcontainers"
	rm -rf "$e2e/node"
	mkdir -p "$e2e/node"
	# No scripts: the packages' native parts are optional and unused here.
	npm install --no-audit --no-fund --no-package-lock --ignore-scripts \
	    --loglevel=error --prefix "$e2e/node" \
	    $(sed -n 's/^    "\(.*\)": "\(.*\)",*$/\1@\2/p' \
	    "$here/node/package.json") >/dev/null
	cp "$here/node/package.json" "$e2e/node/package.json"
fi
exec 9>&-

# Python clients take these for orders, over the certificates they are given.
unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_CONTEXT
export DINV_E2E_DIR="$e2e"
export PYTHONDONTWRITEBYTECODE=1
cd "$here"
# A file stays with one process, which has dockerds of its own.
jobs=${DINV_E2E_JOBS:-$(nproc)}
[ "$jobs" -le 4 ] || [ -n "${DINV_E2E_JOBS-}" ] || jobs=4
if [ "$jobs" -gt 1 ]; then
	set -- -n "$jobs" --dist loadfile "$@"
fi
exec /usr/bin/python3 -m pytest -q --durations=10 "$@"
