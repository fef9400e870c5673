#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Honest and hostile load for so many minutes; see soak.py.
#
#	run.sh MINUTES
#
#	DINV        the gate to test (default build/dinv)
#	SOAK_SEED   what a run has printed: its choices again, as far as threads
#	            let them fall so
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
export DINV="${DINV:-$top/build/dinv}" DINV_E2E_DIR="$top/build/e2e"
export PYTHONPATH="$top/tests/integration" PYTHONDONTWRITEBYTECODE=1
unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_CONTEXT

if [ "$(id -u)" -ne 0 ]; then
	echo "run.sh: this starts dockerd: run it as root" >&2
	exit 1
fi
exec /usr/bin/python3 "$top/tests/soak/soak.py" "$@"
