#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make run: a dockerd of our own with the gate in front of it, until Ctrl-C.
#
#	run.sh DINV [dinv flags]	in the folder that holds build/
#	PORT=2376			where the gate listens, on 127.0.0.1
#
# Everything lies under build/run.  A Docker that the machine has already is
# left alone: ours has its own socket, data, containerd namespace and bridge,
# and does not touch the firewall.  (A dockerd that starts removes the DOCKER
# chains of another one, whose published ports are then gone; so ours runs
# with --iptables=false, and the three rules that its containers need to get
# out are made here, and removed at the end.)
set -eu

dinv=$1
shift
PATH=$PATH:/usr/sbin:/sbin
root=$(pwd -P)
run=$root/build/run
port=${PORT:-2376}
id=$(printf %s "$root" | cksum | cut -d' ' -f1)
bridge=dinv$id
tag=dinv-run-$id
made_rt=
forward_was=
net=
pid=

step() {
	printf '  %-9s %s\n' "$1" "$2"
}

die() {
	printf 'make run: %s\n' "$1" >&2
	exit 1
}

# Its output matters only when it fails.
quietly() {
	said=$("$@" 2>&1) || die "$said"
}

# --- what must hold ---------------------------------------------------------

check() {
	[ "$(id -u)" -eq 0 ] ||
		die 'dockerd needs root; type: sudo make run'
	# Of overlay mounts and of DOCKER_OPTS.
	case $root in
	*[\'\\,:]*) die "the checkout's path must not hold ' \\ , or : ($root)" ;;
	esac
	case $port in
	'' | *[!0-9]*) die "PORT must be a number, got \"$port\"" ;;
	esac
	# Not where another Docker is installed: the packages would replace it.
	command -v dockerd >/dev/null || sh proxy/deps/apt.sh run
	for tool in dockerd docker ip iptables ss flock setsid; do
		command -v $tool >/dev/null ||
			die "$tool is missing; sh proxy/deps/apt.sh run installs it"
	done
	mkdir -p "$run"
	# Held by dinv too, so that it counts as running if we are killed.
	exec 9>"$run/lock"
	flock -n 9 || die 'it is running already, from this folder'
	taken=$(ss -Hltn "sport = :$port")
	[ -z "$taken" ] || die "port $port is taken: $taken
choose another one: make run PORT=$((port + 10000))"
}

# A short folder for sockets: their paths have 107 bytes at most, and
# containerd adds up to 40 of its own.
runtime_folder() {
	rt=$run/rt
	if [ ${#rt} -le 60 ]; then
		[ ! -L "$rt" ] || rm -f "$rt"
		mkdir -p "$rt"
		return
	fi
	link=$rt
	rt=$(readlink "$link" || true)
	if [ -z "$rt" ] || [ ! -d "$rt" ] || [ ! -O "$rt" ]; then
		rt=$(mktemp -d /tmp/dinv.XXXXXX)
		ln -sfn "$rt" "$link"
	fi
	made_rt=$rt
}

# --- network ------------------------------------------------------------------

# A /16 that no route covers and that lies over none.
is_free() {
	[ -z "$(ip -4 route show root "$1.0.0/16")" ] &&
		! ip -4 route show match "$1.0.0/16" | grep -qv '^default'
}

# The one that dockerd's data knows, or one that other checkouts are unlikely
# to have, or any.
choose_net() {
	net=$(cat "$run/net" 2>/dev/null || true)
	if [ -n "$net" ]; then
		is_free "$net" && return
		step NET "$net.0.0/16 has another owner now: networks made before are forgotten"
		rm -rf "$run/docker/network"
	fi
	for net in 10.$((100 + id % 100)) 10.$((200 + id % 50)) 172.29 172.30 \
	    172.31; do
		if is_free "$net"; then
			echo "$net" >"$run/net"
			return
		fi
	done
	die 'found no free private network for the containers (see ip route)'
}

# The way out for containers.  Nothing opens a way in: docker-proxy does that
# for published ports.  rules add fails where iptables does; rules drop takes
# out what several killed runs may have left.
rules() {
	all=$net.0.0/16
	"$1" POSTROUTING -t nat -s "$all" ! -d "$all" -j MASQUERADE &&
	"$1" FORWARD -s "$all" -j ACCEPT &&
	"$1" FORWARD -d "$all" -m conntrack --ctstate RELATED,ESTABLISHED \
		-j ACCEPT
}

add() {
	iptables -w -I "$@" -m comment --comment "$tag"
}

drop() {
	while iptables -w -D "$@" -m comment --comment "$tag"; do :; done
	true
}

# Those that our dockerd made for user-defined networks: it knows their names.
user_bridges() {
	for link in /sys/class/net/br-*; do
		name=${link##*/}
		if grep -qaF "\"$name\"" \
		    "$run/docker/network/files/local-kv.db" 2>/dev/null; then
			echo "$name"
		fi
	done
}

network_down() {
	rules drop 2>/dev/null
	for b in $bridge $(user_bridges); do
		ip link delete "$b" 2>/dev/null || true
	done
	if [ "$forward_was" = 0 ] && ! pgrep -x dockerd >/dev/null; then
		echo 0 >/proc/sys/net/ipv4/ip_forward
	fi
}

network_up() {
	net=$(cat "$run/net" 2>/dev/null || true)
	[ -z "$net" ] || network_down
	choose_net
	ip link add "$bridge" type bridge 2>/dev/null ||
		die 'cannot make a network bridge (needs CAP_NET_ADMIN)'
	ip addr add "$net.0.1/24" dev "$bridge"
	ip link set "$bridge" up
	forward_was=$(cat /proc/sys/net/ipv4/ip_forward)
	[ "$forward_was" = 1 ] || echo 1 >/proc/sys/net/ipv4/ip_forward
	step NET "bridge $bridge, $net.0.0/16"
	rules add 2>/dev/null ||
		step NET 'iptables refuses: containers reach no other machine'
}

# --- certificates ---------------------------------------------------------------

client() {
	user=${SUDO_USER:-$(id -un)}
	if cmp -s "$run/client/ca.pem" "$run/certs/ca.crt" &&
	    [ -s "$run/client/cert.pem" ] && [ -s "$run/client/key.pem" ]; then
		return
	fi
	rm -rf "$run/client"
	quietly "$dinv" cert init -certs "$run/certs"
	quietly "$dinv" cert issue -certs "$run/certs" -name "$user" \
		-ou admin -out "$run/client"
	# The one who typed sudo is the one who will run docker.
	[ -z "${SUDO_UID-}" ] ||
		chown -R "$SUDO_UID:${SUDO_GID:-$SUDO_UID}" "$run/client"
	step CERT "client \"$user\" (unit admin) in build/run/client"
}

# --- life ------------------------------------------------------------------------

# dockerd's flags, in DOCKER_OPTS, so that "make run RUN_FLAGS='... -- ...'"
# can have its own.
dockerd_flags() {
	echo "--exec-root '$rt/exec' --pidfile '$rt/docker.pid'" \
		"--bridge $bridge --iptables=false --ip-forward=false" \
		"--default-address-pool base=$net.128.0/17,size=24"
	# A containerd of the machine's is used if it is there: not its moby.
	[ ! -S /run/containerd/containerd.sock ] ||
		echo "--containerd-namespace $tag" \
			"--containerd-plugins-namespace $tag-plugins"
}

host=tcp://127.0.0.1:$port

# A path as a shell reads it.
quoted() {
	case $1 in
	*[!A-Za-z0-9/._+-]*) echo "'$1'" ;;
	*) echo "$1" ;;
	esac
}

say_when_ready() {
	until DOCKER_HOST=$host DOCKER_TLS_VERIFY=1 \
	    DOCKER_CERT_PATH=$run/client docker version >/dev/null 2>&1; do
		kill -0 "$pid" 2>/dev/null || return 0
		sleep 0.1
	done
	cat <<END

The gate is ready.  Paste this into another terminal, then use docker:

export DOCKER_HOST=$host DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=$(quoted "$run/client")

Clients with fewer rights (units ci and watch of docs/example-policy.json):

$(quoted "$dinv") cert issue -certs $(quoted "$run/certs") -name runner-7 -ou ci -out runner-7

Ctrl-C here stops it; a second one does not wait for containers.
END
}

cleanup() {
	trap '' INT TERM HUP
	network_down
	[ -z "$made_rt" ] || rm -rf "$made_rt" "$run/rt"
	step STOPPED 'images and containers stay in build/run/docker'
}

stop() {
	[ -n "$pid" ] || exit 130
	kill -TERM "$pid" 2>/dev/null || true
}

check
runtime_folder
client
trap cleanup EXIT
trap stop INT TERM HUP
network_up
step DOCKERD "$(dockerd --version)"
step DATA 'build/run/docker; log build/run/dockerd.log; audit build/run/audit.jsonl'

# In a session of its own: what the terminal sends comes to us alone, and is
# passed on once; a second Ctrl-C hurries it.
DOCKER_OPTS="$(dockerd_flags | tr '\n' ' ')${DOCKER_OPTS-}" setsid "$dinv" \
	-tlsverify -certs "$run/certs" -listen "$host" \
	-socket "$rt/docker.sock" -data "$run/docker" \
	-dockerd-log "$run/dockerd.log" -audit "$run/audit.jsonl" \
	-policy "$root/docs/example-policy.json" -grace 20 "$@" &
pid=$!
say_when_ready 9>&- &
status=0
while kill -0 $pid 2>/dev/null; do
	status=0
	wait $pid || status=$?
done
exit $status
