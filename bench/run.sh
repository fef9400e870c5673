#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make bench: what dinv costs, beside what people put in front of dockerd.
#
#	run.sh			in the folder that holds build/
#	DINV=build/dinv		the gate to measure
#	TLS=1.3			or 1.2
#	SUITE=			the cipher suite that clients offer
#	REPS=3			repetitions; the median is shown
#	ONLY='dinv nginx'	these servers and no others
#	BENCH=scale		only the curves: dinv alone, from 1 to 10,000
#				connections, 1 to 1,000 clients in its policy,
#				bodies of 1 KiB to 4 GiB; BENCH=peers: only the
#				peers; without: both
#	DOCS=docs/bench		where the table and the plots go
#	AB=FILE			another build of dinv: the two take turns instead,
#				TURNS=20 of them, to see what a change costs
#
# Everything runs in network, mount and process namespaces of its own: no port
# is taken on the machine, no other Docker is touched, and whatever is started
# is gone when this ends.  Nothing passes or fails here: it prints a table, and
# leaves it with plots in docs/bench, and what one decision costs in
# build/bench/decide.md.
set -eu

PATH=$PATH:/usr/sbin:/sbin
here=$(cd "$(dirname "$0")" && pwd -P)
top=$(cd "$here/.." && pwd -P)
out=$top/build/bench
export DINV="${DINV:-$top/build/dinv}"

die() {
	printf 'make bench: %s\n' "$1" >&2
	exit 1
}

need() {
	command -v "$1" >/dev/null ||
		die "$1 is missing; type: apt-get install --no-install-recommends $2"
}

compile() {
	name=$1
	shift
	${CC:-cc} -std=c11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -o "$out/$name" \
		"$here/$name.c" "$here/chunks.c" "$@"
}

[ "$(id -u)" -eq 0 ] || die 'namespaces and dockerd need root'
[ -x "$DINV" ] || die "$DINV is missing: make builds it"
need python3 python3
need unshare util-linux
need ip iproute2
[ -e /usr/include/openssl/ssl.h ] ||
	die 'OpenSSL is missing; type: apt-get install libssl-dev'

mkdir -p "$out"
compile upstream
${CC:-cc} -std=c11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -iquote "$top" \
	-iquote "$top/proxy" -iquote "$top/policy" -o "$out/decide" \
	"$here/decide.c" "$top/build/libpolicy.a" "$top/build/libbase.a" -lcjson
m=$top/build/mbedtls
accel=
[ "$(uname -m)" != x86_64 ] || accel="-lIPSec_MB -lcrypto
	-Wl,--wrap=mbedtls_ecp_mul -Wl,--wrap=mbedtls_ecp_mul_restartable"
${CC:-cc} -std=c11 -O2 -g -D_GNU_SOURCE -Wall -Wextra -iquote "$top" \
	-iquote "$top/proxy" -iquote "$top/certs" -isystem "$m/src/include" \
	-I"$top/proxy/deps" ${accel:+-DDINV_ACCEL "-I$top/proxy/accel"} \
	-DMBEDTLS_CONFIG_FILE='"dinv_mbedtls_config.h"' -o "$out/crl" \
	"$here/crl.c" "$top/build/libproxy.a" "$top/build/libcerts.a" \
	"$top/build/libbase.a" "$m/libmbed.a" $accel -lpthread
compile load "$here/hist.c" -lssl -lcrypto -lpthread

if [ -z "${BENCH-}" ]; then
echo 'CPU time of one decision, us (decide.c):'
"$out/decide" | tee "$out/decide.md"
echo

echo 'What a list of revoked certificates costs a handshake (crl.c):'
"$out/crl" | tee "$out/crl.md"
echo
fi

# Sockets have short names (107 bytes at most): so, not under build/.
work=$(mktemp -d /tmp/dinv-bench.XXXXXX)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
# A stream takes two descriptors of the gate: 10,000 of them, over 20,000.
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
main=bench.py
[ "${BENCH-}" != scale ] || main=scale.py
if [ -n "${AB-}" ]; then
	[ -x "$AB" ] || die "$AB is no program"
	main=ab.py
fi
export DOCS="${DOCS:-$top/docs/bench}"
export BENCH_WORK="$work" BENCH_OUT="$out" PYTHONDONTWRITEBYTECODE=1
# dockerd would use a containerd of the machine's: an empty folder hides it.
unshare --net --mount --propagation private --pid --fork --kill-child=KILL \
	--mount-proc sh -ec '
	ip link set lo up
	mkdir -p /run/containerd
	mount -t tmpfs tmpfs /run/containerd
	exec python3 "$0"' "$here/$main"
