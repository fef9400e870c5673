#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The images, used as their documents say, on a Docker of the tests' own.
#
#	run.sh [pytest arguments]
#
#	DINV		the program under test (default build/dinv)
#	BASE		as for "make images"
#
# The images are built first, with that program.  They, and everything that
# the tests leave, are under build/images; nothing is installed but packages.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
export DINV="${DINV:-$top/build/dinv}"

if [ "$(id -u)" -ne 0 ]; then
	echo "run.sh: these tests start dockerd: run them as root" >&2
	exit 1
fi
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
unset REQUESTS_CA_BUNDLE CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
export DINV_E2E_DIR="$top/build/e2e"
export PYTHONDONTWRITEBYTECODE=1

# Five is "no such test": with a name that others' tests have, say.
cd "$here"
status=0
/usr/bin/python3 -m pytest -q --collect-only "$@" >/dev/null || status=$?
[ $status -ne 5 ] || exit 0

sh "$here/../integration/newer.sh" "$DINV_E2E_DIR"
# On a dockerd of our own always: the tests use its folder.
(cd "$top" && OWN=1 sh images/make.sh "$DINV")
# A line for each, since each takes its time.
exec /usr/bin/python3 -m pytest -v --no-header --durations=10 "$@"
