#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Unpacks Mbed TLS 3.6 into DIR/src.
#
#	mbedtls.sh DIR
#
# From Debian's source package of the trixie suite, so that apt checks its
# signature; or from MBEDTLS_TARBALL, where that names a file.
set -eu

dir=$1
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$dir/src" "$dir/src.new"
mkdir "$dir/src.new"

if [ -n "${MBEDTLS_TARBALL-}" ]; then
	echo "  UNPACK    $MBEDTLS_TARBALL"
	tar -xf "$MBEDTLS_TARBALL" -C "$dir/src.new" --strip-components=1
else
	echo "  FETCH     Mbed TLS (Debian source package, trixie)"
	sh "$here/suite.sh" "$dir/apt" update
	# apt checks the .dsc against the signed index; dpkg-source then
	# checks each file against the .dsc and applies Debian's patches.
	(cd "$dir" && rm -f mbedtls_* &&
	    sh "$here/suite.sh" "$dir/apt" source --download-only mbedtls)
	rmdir "$dir/src.new"
	dpkg-source --no-check -x "$dir"/mbedtls_*.dsc "$dir/src.new" >/dev/null
fi

grep -q '^#define MBEDTLS_VERSION_STRING  *"3\.6\.' \
    "$dir/src.new/include/mbedtls/build_info.h" || {
	echo "mbedtls.sh: this is not Mbed TLS 3.6" >&2
	exit 1
}
mv "$dir/src.new" "$dir/src"
