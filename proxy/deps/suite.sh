#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs apt-get or apt-cache against the trixie suite alone, with the mirror
# that this machine is set up with and Debian's own keyring; the machine's
# own package lists are left as they are.
#
#	suite.sh STATE-DIR update
#	suite.sh STATE-DIR source --download-only mbedtls
#	suite.sh STATE-DIR download docker.io
#	suite.sh - mirror			prints the mirror
set -eu

state=$1
shift
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r $keyring ] || {
	echo "suite.sh: $keyring is missing: apt-get install debian-archive-keyring" >&2
	exit 1
}

# The first Debian mirror named in the machine's own sources.
mirror() {
	cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources \
	    /etc/apt/sources.list.d/*.list 2>/dev/null |
	sed -n -e 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p' \
	    -e 's/^deb[[:space:]]\(\[[^]]*\][[:space:]]\)\{0,1\}[[:space:]]*\([^[:space:]]*\).*/\2/p' |
	grep '/debian/\{0,1\}$' | head -n 1
}
url=$(mirror)
[ -n "$url" ] || {
	echo "suite.sh: no Debian mirror in /etc/apt" >&2
	exit 1
}

if [ "${1-}" = mirror ]; then
	echo "$url"
	exit
fi

mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
state=$(cd "$state" && pwd)
for kind in deb deb-src; do
	echo "$kind [signed-by=$keyring] $url trixie main"
done > "$state/sources.list"

exec apt-get -qq -o "Dir::Etc::sourcelist=$state/sources.list" \
	-o Dir::Etc::sourceparts=- \
	-o "Dir::State::lists=$state/lists" \
	-o "Dir::Cache=$state/cache" \
	-o APT::Sandbox::User=root "$@"
