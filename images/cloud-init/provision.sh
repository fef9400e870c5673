#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes a Docker host of a Debian: docker.io on its unix socket alone, dinv in
# front of it on 2376, and the files of one client.  Can be run again.
#
#	DINV_DEB     the package (default /var/tmp/dinv.deb)
#	DINV_URL     where to fetch it from if it is not there, and
#	DINV_SHA256  what it has to be
#	DINV_HOSTS   names and addresses that clients will use, besides the
#	             machine's own
#	DINV_USER    who gets the client's files (default: user 1000), in
#	             ~/dinv-client
set -eu

deb=${DINV_DEB-/var/tmp/dinv.deb}
certs=/etc/dinv/certs
user=${DINV_USER-$(getent passwd 1000 | cut -d: -f1)}
home=$(getent passwd "${user:-root}" | cut -d: -f6)
export DEBIAN_FRONTEND=noninteractive

if [ ! -e "$deb" ] && [ -n "${DINV_URL-}" ]; then
	command -v curl >/dev/null || apt-get -qq install -y curl ca-certificates
	curl -fsSL -o "$deb.part" "$DINV_URL"
	echo "${DINV_SHA256:?says what $DINV_URL has to be}  $deb.part" |
	    sha256sum -c --quiet
	mv "$deb.part" "$deb"
fi
if [ ! -e "$deb" ]; then
	echo "provision.sh: put the package (make deb) at $deb" >&2
	exit 1
fi
if grep -qs '"hosts"' /etc/docker/daemon.json; then
	echo "provision.sh: /etc/docker/daemon.json lets dockerd listen elsewhere:" \
	    "take \"hosts\" out of it" >&2
	exit 1
fi

apt-get -qq update || :
apt-get -qq install -y --no-install-recommends docker.io "$deb"

set --
for host in ${DINV_HOSTS-}; do
	set -- "$@" -host "$host"
done
dinv cert init -certs $certs "$@"
if [ ! -e "$home/dinv-client" ]; then
	dinv cert issue -certs $certs -name "${user:-root}" -ou admin \
	    -out "$home/dinv-client"
	chown -R "${user:-root}:" "$home/dinv-client"
fi
systemctl enable --now dinv.socket dinv.service dinv-renew.timer
