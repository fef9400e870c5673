#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Within docker build, on Debian: OUT/usr/bin/dinv that runs on any Linux of
# this processor, because OUT/usr/lib/dinv holds the libraries and the loader
# that it was linked to.
#
#	portable.sh OUT		in the folder that holds prebuilt/dinv, or else
#				the sources
set -eu

out=$1
lib=/usr/lib/dinv
printf '%s\n' "${APT_CONF-}" >"${TMPDIR:-/tmp}/apt.conf"
export APT_CONFIG="${TMPDIR:-/tmp}/apt.conf" DEBIAN_FRONTEND=noninteractive
if ! command -v patchelf >/dev/null; then
	apt-get -qq update
	apt-get -qq install -y --no-install-recommends patchelf binutils make \
		'^libevent-core-2\.1-7(t64)?$' \
		'^libevent-pthreads-2\.1-7(t64)?$' '^libhttp-parser2\.9$' \
		'^libcjson1$' '^libseccomp2$' '^libipsec-mb[0-9]+$' '^libssl3(t64)?$' >/dev/null
fi
if [ ! -x prebuilt/dinv ]; then
	make -j"$(nproc)"
	mkdir -p prebuilt
	cp build/dinv prebuilt/dinv
fi
mkdir -p "$out/usr/bin" "$out$lib"
strip -o "$out/usr/bin/dinv" prebuilt/dinv
# "name => path (address)", and the loader as "path (address)"
ldd prebuilt/dinv | sed -n -e 's/.*=> \(\/[^ ]*\) .*/\1/p' \
	-e 's/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' |
while read -r file; do
	cp -L "$file" "$out$lib/"
done
loader=$(patchelf --print-interpreter prebuilt/dinv)
patchelf --set-interpreter "$lib/${loader##*/}" --force-rpath \
	--set-rpath "$lib" "$out/usr/bin/dinv"
