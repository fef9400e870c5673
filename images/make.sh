#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make images: builds the images of this folder, those that are named or all
# that can be built here.
#
#	make.sh DINV [NAME ...]		in the folder that holds build/
#
#	BASE=IMAGE	what debian/ stands on (default debian:bookworm-slim,
#			or trixie-slim on a Debian 13); dinv-base:debian is
#			made here, with debootstrap, as it is where the
#			default cannot be pulled
#	DINV		the program to put in; "" has docker build make one
#			from the sources
#	BASE_OS=IMAGE	what photon/ or centos/ stands on
#	OWN=1		a dockerd of our own, whatever else there is
#	TAG=NAME	the images are NAME:debian and so on (default dinv)
#
# The docker that DOCKER_HOST or the default context names is used.  Where
# none answers, a dockerd of our own runs while it takes: its socket, images
# and log are under build/images, it has no bridge, and it leaves the firewall
# and a Docker that may come later alone.
set -eu

dinv=${1-}
[ $# -eq 0 ] || shift
here=images
work=$(pwd -P)/build/images
# A program that was built here wants the libraries of here.
suite=$(. /etc/os-release 2>/dev/null; echo "${VERSION_CODENAME-}")
case $suite in
bookworm | trixie) ;;
*) suite=bookworm ;;
esac
base=${BASE:-debian:$suite-slim}
tag=${TAG:-dinv}
local_base=dinv-base:debian
holder=

step() {
	printf '  %-9s %s\n' "$1" "$2"
}

die() {
	printf 'make images: %s\n' "$1" >&2
	exit 1
}

# Its output matters only when it fails, or with V=1.
quietly() {
	if [ -n "${V-}" ]; then
		"$@"
		return
	fi
	"$@" >"$work/log" 2>&1 || {
		tail -n 40 "$work/log" >&2
		die "failed: $*"
	}
}

# --- a docker -----------------------------------------------------------------

stop_dockerd() {
	[ -z "$holder" ] || {
		kill "$holder" 2>/dev/null || true
		wait "$holder" 2>/dev/null || true
	}
}

have_docker() {
	if [ -z "${OWN-}" ] && docker version >/dev/null 2>&1; then
		return
	fi
	[ "$(id -u)" -eq 0 ] ||
		die 'no docker answers, and to start one needs root; type: sudo make images'
	command -v dockerd >/dev/null || sh proxy/deps/apt.sh run
	mkdir -p "$work/docker"
	step DOCKERD 'of our own, while it takes; log build/images/docker/dockerd.log'
	# $0: the folder.  A containerd of the machine's is not ours to use.
	unshare --mount --propagation private sh -ec '
		mkdir -p /run/containerd
		mount -t tmpfs tmpfs /run/containerd
		exec dockerd -H "unix://$0/docker.sock" --data-root "$0/data" \
		    --exec-root "$0/exec" --pidfile "$0/pid" --bridge none \
		    --iptables=false --ip-forward=false --log-level warn' \
		"$work/docker" >"$work/docker/dockerd.log" 2>&1 &
	holder=$!
	trap stop_dockerd EXIT
	trap 'exit 130' INT TERM
	export DOCKER_HOST="unix://$work/docker/docker.sock"
	until docker version >/dev/null 2>&1; do
		kill -0 "$holder" 2>/dev/null || {
			tail -n 20 "$work/docker/dockerd.log" >&2
			die 'dockerd does not start'
		}
		sleep 0.1
	done
}

# --- a base ---------------------------------------------------------------------

# As debian:bookworm-slim is made: no manuals, no fsync for each file, and
# the machine's own mirrors.
make_base() {
	[ "$(id -u)" -eq 0 ] || die 'debootstrap needs root'
	sh proxy/deps/apt.sh images
	step BASE "$local_base, by debootstrap (once)"
	# In memory, and gone with the mount namespace.
	quietly unshare --mount --propagation private sh -euc '
		mkdir -p "$0/root"
		mount -t tmpfs -o mode=755 tmpfs "$0/root"
		debootstrap --variant=minbase --cache-dir="$0/debs" \
		    "$1" "$0/root" $(sh proxy/deps/suite.sh - mirror)
		cd "$0/root"
		rm -rf var/lib/apt/lists/* var/cache/apt/* usr/share/doc/* \
		    usr/share/man/* usr/share/locale/* usr/share/info/* \
		    var/log/*
		printf "path-exclude %s\n" "/usr/share/doc/*" \
		    "/usr/share/man/*" "/usr/share/locale/*" \
		    >etc/dpkg/dpkg.cfg.d/excludes
		echo force-unsafe-io >etc/dpkg/dpkg.cfg.d/speedup
		if grep -qs "$1" /etc/apt/sources.list.d/debian.sources
		then
			cp /etc/apt/sources.list.d/debian.sources \
			    etc/apt/sources.list.d/
			rm -f etc/apt/sources.list
		fi
		tar -cf "$0/base.part" .
		mv "$0/base.part" "$0/base.tar"' "$work" "$suite"
}

have_base() {
	if docker image inspect "$base" >/dev/null 2>&1; then
		return
	fi
	if [ "$base" != $local_base ]; then
		docker pull -q "$base" >/dev/null 2>&1 && return
		[ -z "${BASE-}" ] || die "$base cannot be pulled"
		step BASE "$base cannot be pulled"
		base=$local_base
		docker image inspect $base >/dev/null 2>&1 && return
	fi
	mkdir -p "$work/debs"
	[ -s "$work/base.tar" ] || make_base
	quietly docker import "$work/base.tar" $local_base
}

# --- images ---------------------------------------------------------------------

# What this machine's apt was told to trust or not, for mirrors that need it.
# Proxies go by http_proxy, which docker keeps out of an image's history.
apt_conf() {
	apt-config dump 2>/dev/null | grep -E '^Acquire::Check-' || true
}

apt_proxy() {
	[ -n "${http_proxy-}" ] && echo "$http_proxy" && return
	apt-config shell p Acquire::http::Proxy 2>/dev/null |
		sed -n "s/^p='\(.*\)'\$/\1/p"
}

# build FOLDER NAME [arguments of docker build]
build() {
	folder=$1
	name=$2
	shift 2
	step IMAGE "$name"
	http_proxy=$(apt_proxy) quietly docker build --network host \
		--build-arg "APT_CONF=$(apt_conf)" --build-arg http_proxy \
		-t "$name" "$@" "$folder"
}

# Everything, for a build from the sources; else the program alone.
context() {
	[ -n "$dinv" ] || {
		echo .
		return
	}
	rm -rf "$work/context"
	mkdir -p "$work/context/prebuilt"
	cp -r $here "$work/context/"
	cp "$dinv" "$work/context/prebuilt/dinv"
	strip "$work/context/prebuilt/dinv" 2>/dev/null || true
	echo "$work/context"
}

image() {
	case $1 in
	debian)
		have_base
		where=$(context)
		build "$where" "$tag:debian" --build-arg "BASE=$base" \
			-f "$where/images/debian/Dockerfile"
		;;
	photon | centos)
		where=$(context)
		have_base
		build "$where" "$tag:$1" --build-arg "DEBIAN=$base" \
			${BASE_OS:+--build-arg "BASE=$BASE_OS"} \
			-f "$where/images/$1/Dockerfile"
		;;
	with-ssh | compose-dynamic)
		build $here/"$1" "$tag:$1" --build-arg "DINV=$tag:debian"
		;;
	compose-static)
		build $here/"$1" "$tag:$1" \
			--build-arg "DINV=$tag:compose-dynamic"
		;;
	*)
		die "no image \"$1\": debian photon centos with-ssh compose-dynamic compose-static"
		;;
	esac
}

mkdir -p "$work"
have_docker
[ $# -gt 0 ] || set -- debian with-ssh compose-dynamic compose-static
for name in "$@"; do
	image "$name"
done
docker images --format '  {{printf "%-9s" .Size}} {{.Repository}}:{{.Tag}}' "$tag"
