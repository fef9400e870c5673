#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a Debian 12 with systemd and Debian's own docker.io for host.py, once:
# whole or not at all.  Takes minutes and the network.
#
#	host.sh build/host
set -eu

where=$1
here=$(cd "$(dirname "$0")" && pwd)
[ ! -d "$where/debian" ] || exit 0

need='debootstrap lintian'
for p in $need; do
	command -v "$p" >/dev/null || missing="${missing-} $p"
done
if [ -n "${missing-}" ]; then
	echo "  APT      $missing"
	DEBIAN_FRONTEND=noninteractive apt-get -qq install -y \
	    --no-install-recommends $missing >/dev/null
fi

# What the package depends on too: it is installed where there is no network.
with='systemd systemd-sysv dbus docker.io ca-certificates busybox-static'
with="$with libcjson1 libevent-core-2.1-7 libevent-pthreads-2.1-7"
with="$with libhttp-parser2.9 libssl3"
[ "$(uname -m)" != x86_64 ] || with="$with libipsec-mb1"

echo "  DEBIAN    $where/debian (once, about four minutes)"
mkdir -p "$where"
rm -rf --one-file-system "$where/part"
debootstrap --variant=minbase --include="$(echo $with | tr ' ' ',')" bookworm \
    "$where/part" $(sh "$here/../../proxy/deps/suite.sh" - mirror) \
    >"$where/log" 2>&1 || {
	tail -20 "$where/log" >&2
	exit 1
}
rm -f "$where"/part/var/cache/apt/archives/*.deb
mv "$where/part" "$where/debian"
