#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what a target needs, by Debian package name; where it may not
# (not root, not Debian), prints the exact list and what to type.
#
#	apt.sh build    to compile dinv
#	apt.sh run      to start a dockerd of one's own
#	apt.sh images   to make a base image
#	apt.sh test     for the unit and end-to-end tests
set -eu

build='gcc make libc6-dev libevent-dev libhttp-parser-dev libcjson-dev
	libseccomp-dev dpkg-dev xz-utils bzip2 ca-certificates'
# AES-GCM and elliptic curves for x86-64 (ACCEL=0 does without)
if [ "$(uname -m)" = x86_64 ] && [ "${ACCEL-1}" != 0 ]; then
	build="$build libipsec-mb-dev libssl-dev"
fi
run='docker.io iptables iproute2 util-linux procps'
tests="$run libcmocka-dev python3 python3-pytest python3-docker
	docker-compose docker-registry busybox-static openssl gnutls-bin
	nodejs npm git tar python3-cryptography python3-jsonschema
	python3-pytest-xdist systemd rsyslog"

case "${1-}" in
build) want=$build ;;
run) want=$run ;;
images) want='debootstrap tar' ;;
test) want="$tests debootstrap jq patchelf openssh-client" ;;
*)
	echo "usage: apt.sh build|run|images|test" >&2
	exit 2
	;;
esac

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "This is not Debian: install what these Debian packages hold, then" >&2
	echo "touch build/.deps (and build/.testdeps) and run make again:" >&2
	echo $want >&2
	exit 1
fi

have() {
	case $1 in
	# A Node.js or npm from elsewhere does as well as Debian's.
	nodejs) command -v node >/dev/null && return 0 ;;
	npm) command -v npm >/dev/null && return 0 ;;
	esac
	dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null | grep -q '^ii'
}

missing=
for p in $want; do
	have "$p" || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

# Debian 13 has the client apart from the daemon.
if echo "$missing" | grep -qw docker.io &&
    apt-cache show docker-cli >/dev/null 2>&1; then
	missing="$missing docker-cli"
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "Missing packages.  As root, type:" >&2
	echo "	apt-get install --no-install-recommends$missing" >&2
	exit 1
fi

echo "  APT      $missing"
# A policy file keeps Debian from starting daemons that we start ourselves.
guard=/usr/sbin/policy-rc.d
made=
if [ ! -e $guard ]; then
	printf '#!/bin/sh\nexit 101\n' > $guard
	chmod 755 $guard
	made=1
fi
trap '[ -z "$made" ] || rm -f $guard' EXIT
export DEBIAN_FRONTEND=noninteractive
apt-get -qq update >/dev/null || true
if ! apt-get -qq install -y --no-install-recommends $missing \
    >/tmp/dinv-apt.$$ 2>&1; then
	tail -20 /tmp/dinv-apt.$$ >&2
	rm -f /tmp/dinv-apt.$$
	echo "apt-get could not install:$missing" >&2
	exit 1
fi
rm -f /tmp/dinv-apt.$$
