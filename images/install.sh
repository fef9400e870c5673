#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What make install puts where, and make uninstall takes away.
#
#	install.sh install|uninstall PROGRAM
#
#	DESTDIR    put before every path
#	PREFIX     /usr/local, or /usr
#	SYSCONFDIR /etc: the configuration, which is neither replaced nor removed
set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
what=$1
program=$2
dest=${DESTDIR-}
prefix=${PREFIX-/usr/local}
etc=${SYSCONFDIR-/etc}/dinv

# mode, from, to; a line each
files() {
	echo "0755 $program $prefix/bin/dinv"
	for m in "$top"/docs/man/*.[158]; do
		echo "0644 $m $prefix/share/man/man${m##*.}/${m##*/}"
	done
	echo "0644 $top/docs/policy.schema.json $prefix/share/dinv/policy.schema.json"
	echo "0644 $top/docs/example-policy.json $prefix/share/dinv/example-policy.json"
	c=$top/images/completion
	echo "0644 $c/dinv.bash $prefix/share/bash-completion/completions/dinv"
	echo "0644 $c/_dinv $prefix/share/zsh/${ZSH_FUNCTIONS-site-functions}/_dinv"
	echo "0644 $c/dinv.fish $prefix/share/fish/vendor_completions.d/dinv.fish"
	s=$top/images/systemd
	for unit in "$s"/*.service "$s"/*.socket "$s"/*.timer; do
		echo "0644 $unit $prefix/lib/systemd/system/${unit##*/}"
	done
	echo "0644 $s/sysusers.conf $prefix/lib/sysusers.d/dinv.conf"
	echo "0644 $s/tmpfiles.conf $prefix/lib/tmpfiles.d/dinv.conf"
}

put() {
	install -D -m "$1" "$2" "$dest$3"
	case $3 in
	*.service) # which name the program with its path
		sed -i "s|/usr/bin/dinv|$prefix/bin/dinv|g" "$dest$3"
		;;
	esac
}

case $what in
install)
	files | while read -r mode from to; do
		put "$mode" "$from" "$to"
	done
	for f in gate.json policy.json; do
		if [ ! -e "$dest$etc/$f" ]; then
			put 0644 "$top/images/systemd/$f" "$etc/$f"
		fi
	done
	;;
uninstall)
	files | while read -r mode from to; do
		rm -f "$dest$to"
	done
	rmdir "$dest$prefix/share/dinv" 2>/dev/null || :
	echo "left: $dest$etc, and what the gate wrote in /var/lib/dinv and" \
	    "/var/log/dinv"
	;;
*)
	echo "usage: install.sh install|uninstall PROGRAM" >&2
	exit 2
	;;
esac
