#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian package from a program that is built already; needs no
# root, no debhelper and no network.
#
#	build.sh PROGRAM VERSION OUT-DIR
set -eu

program=$(cd "$(dirname "$1")" && pwd)/${1##*/}
version=$2
out=$(cd "$3" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
arch=$(dpkg --print-architecture)
stage=$out/deb
tree=$stage/tree
umask 022

rm -rf "$stage"
mkdir -p "$stage/debian" "$tree/DEBIAN"
DESTDIR=$tree PREFIX=/usr ZSH_FUNCTIONS=vendor-completions \
    sh "$top/images/install.sh" install "$program"
strip --strip-unneeded --remove-section=.comment --remove-section=.note \
    "$tree/usr/bin/dinv"
# Debian 12's systemd looks for system units here.
mkdir -p "$tree/lib"
mv "$tree/usr/lib/systemd" "$tree/lib/"
find "$tree/usr/share/man" -type f -exec gzip -9n {} +

doc=$tree/usr/share/doc/dinv
mkdir -p "$doc"
install -m 0644 "$top/README.md" "$top"/docs/*.md "$doc/"
install -m 0644 "$here/copyright" "$doc/copyright"
when=$(date -R -u -d "@${SOURCE_DATE_EPOCH:-$(stat -c %Y "$top/Makefile")}")
sed -e "s/@VERSION@/$version/" -e "s/@DATE@/$when/" "$here/changelog" |
    gzip -9n > "$doc/changelog.gz"
mkdir -p "$tree/usr/share/lintian/overrides"
install -m 0644 "$here/lintian-overrides" "$tree/usr/share/lintian/overrides/dinv"

# What it is linked with becomes Depends, by Debian's own reckoning.
cp "$here/source-control" "$stage/debian/control"
depends=$(cd "$stage" && dpkg-shlibdeps -O -e"$tree/usr/bin/dinv" 2>/dev/null |
    sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || {
	echo "build.sh: dpkg-shlibdeps found no libraries" >&2
	exit 1
}
size=$(du -sk --apparent-size "$tree" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$size/" \
    -e "s/@DEPENDS@/$depends/" "$here/control" > "$tree/DEBIAN/control"
(cd "$tree" && find etc -type f | sort | sed 's|^|/|') > "$tree/DEBIAN/conffiles"
for script in postinst prerm postrm; do
	install -m 0755 "$here/$script" "$tree/DEBIAN/$script"
done
(cd "$tree" && find . -path ./DEBIAN -prune -o -path ./etc -prune -o \
    -type f -print | sed 's|^\./||' | LC_ALL=C sort |
    xargs md5sum) > "$tree/DEBIAN/md5sums"
dpkg-deb --root-owner-group --build "$tree" \
    "$out/dinv_${version}_$arch.deb" >/dev/null
rm -rf "$stage"
echo "$out/dinv_${version}_$arch.deb"
