#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The newer Docker, beside Debian 12's own: dockerd and docker 26.1, buildx,
# compose v2.  Whole or not at all: unpacked elsewhere, then renamed; by one at
# a time, since two kinds of tests want it.
#
#	newer.sh build/e2e
set -eu

mkdir -p "$1"
e2e=$(cd "$1" && pwd)
suite_sh=$(cd "$(dirname "$0")/../.." && pwd)/proxy/deps/suite.sh
suite='docker.io docker-cli containerd docker-buildx docker-compose'

exec 9>"$e2e/lock"
flock 9
[ ! -d "$e2e/newer" ] || exit 0
echo "  UNPACK    $suite (trixie)"
rm -rf "$e2e/debs" "$e2e/newer.part"
mkdir -p "$e2e/debs" "$e2e/newer.part"
sh "$suite_sh" "$e2e/apt" update
(cd "$e2e/debs" && sh "$suite_sh" "$e2e/apt" download $suite)
for deb in "$e2e"/debs/*.deb; do
	dpkg -x "$deb" "$e2e/newer.part"
done
mv "$e2e/newer.part" "$e2e/newer"
