#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Keeps the house in order: layers, banned functions, licences, headers, sizes
# and format (docs/architecture.md).  Reads the sources and the archives in
# build/; changes nothing, installs nothing, needs no network.
#
#	CC=clang	another compiler for the headers
#
# Fails on what breaks a rule; what is only worth a look it prints.
set -u
cd "$(dirname "$0")/.." || exit 1

cc=${CC:-cc}
max_function=80
max_file=600
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The lines on standard input break the rule $1.  Noted in a file: behind a
# pipe this is a shell of its own, whose variables nobody sees.
broken() {
	cat >"$tmp/broken"
	[ -s "$tmp/broken" ] || return 0
	echo "lint: $1:" >&2
	sed 's/^/	/' "$tmp/broken" >&2
	: >"$tmp/failed"
}

# "FILE:LINE: NAME" for each include in the files given: quotes or angles.
includes() {
	quotes=$1
	shift
	if [ "$quotes" = quoted ]; then
		grep -nH '^[ 	]*#[ 	]*include[ 	]*"' "$@" /dev/null |
		sed 's/:[ 	]*#[ 	]*include[ 	]*"\([^"]*\)".*/: \1/'
	else
		grep -nH '^[ 	]*#[ 	]*include[ 	]*<' "$@" /dev/null |
		sed 's/:[ 	]*#[ 	]*include[ 	]*<\([^>]*\)>.*/: \1/'
	fi
}

sources() {
	find "$@" -name '*.[ch]' 2>/dev/null | sort
}

# --- layers ------------------------------------------------------------------

# Includes with quotes name files of these folders only: $1 is looked in for
# files that come without a folder, the others for "base/buf.h" and the like.
only_from() {
	own=$1
	includes quoted $(sources "$own") |
	while read -r place name; do
		case $name in
		base/*) [ "$own" != policy ] && [ "$own" != certs ] ||
			continue ;;
		"$own"/*) continue ;;
		*/*) ;;
		*) [ -f "$own/$name" ] && continue ;;
		esac
		echo "$place \"$name\""
	done
}

third='^(mbedtls|psa|everest|event|event2|http_parser|cjson|nghttp2|openssl'
third="$third|protobuf-c|intel-ipsec-mb|sodium|nettle|cmocka|zstd|zlib)([/.]|\$)"

# Third-party includes in the files given, but for those that match $1.
third_party() {
	but=$1
	shift
	includes angled "$@" | awk -v third="$third" -v but="$but" \
		'$2 ~ third && (but == "" || $1 !~ but) { print $1, "<" $2 ">" }'
}

only_from proxy/base | broken 'proxy/base/ uses nothing above it'
only_from policy | broken 'policy/ uses proxy/base/ and itself alone'
only_from certs | broken 'certs/ uses proxy/base/ and itself alone'
third_party '' $(sources proxy/base) | broken 'proxy/base/ needs libc alone'

# One module, or the private headers beside it, for each library.
third_party '^policy/json[a-z_]*\.c:' $(sources policy) |
broken 'cJSON lives in policy/json*.c'
includes angled $(sources certs) |
awk -v third="$third" '$2 ~ third && $2 !~ /^(mbedtls|psa)\// ||
	$2 ~ /^mbedtls\/(ssl|net_sockets|debug|timing)/ { print $1, $2 }' |
broken 'certs/ uses the X.509 side of Mbed TLS alone'
includes angled $(sources proxy) | awk -v third="$third" '
	$2 !~ third { next }
	$2 ~ /^(mbedtls|psa)\// && $1 ~ /^proxy\/(tls[a-z_]*\.[ch]|accel\/)/ ||
	$2 ~ /^(mbedtls|psa)\// && $1 ~ /^proxy\/deps\/.*config\.h/ ||
	$2 ~ /^http_parser/ && $1 ~ /^proxy\/http1\.c/ ||
	$2 ~ /^event2\// && $1 ~ /^proxy\/loop\.c/ { next }
	$1 ~ /^proxy\/accel\// { next }
	{ print $1, "<" $2 ">" }' |
broken 'a third-party type lives behind one module'
grep -nHE '(^|[^a-z_])(mbedtls_ssl_|http_parser_|event_base_)' \
	$(sources proxy policy certs) |
grep -vE '^proxy/(tls[a-z_]*|http1|loop|deps/.*|accel/.*)\.[ch]:' |
cut -d: -f1,2 | broken 'a third-party function is called beside its module'

# --- headers -----------------------------------------------------------------

mbed=build/mbedtls/src/include
flags="-std=c11 -D_GNU_SOURCE -iquote . -iquote proxy -iquote policy
	-iquote certs -iquote tests/unit -isystem $mbed"

# What proxy/ includes of the lower layers shows nobody's types but ours.
includes quoted $(sources proxy) | awk '{ print $2 }' |
grep -E '^(policy|certs)/' | sort -u |
while read -r header; do
	$cc $flags -M -x c "$header" 2>/dev/null | tr ' ' '\n' |
	grep -E '/(cjson|mbedtls|psa)/' | sed "s|^|$header: |"
done | broken 'a public header shows a third-party type'

# $0: compiler and flags.  Each for itself, so that several do so at a time.
alone='
	out=$(printf "#include \"%s\"\n" "$1" |
	    $0 -Wall -Wextra -Werror -fsyntax-only -x c - 2>&1) ||
		printf "%s\n%s\n" "$1" "$(echo "$out" | head -n 3)"'
find proxy policy certs tests bench -name '*.h' |
grep -vE '^proxy/(deps|accel)/' |
while read -r header; do
	[ -d $mbed ] || ! grep -q '<mbedtls/' "$header" || continue
	echo "$header"
done |
xargs -P "$(nproc)" -n 1 sh -c "$alone" "$cc $flags" |
broken 'a header does not compile alone'

# --- archives ----------------------------------------------------------------

# No socket, thread, clock, log or exit below proxy/.
banned='socket|connect|bind|listen|accept4?|shutdown|(send|recv)(to|from|msg)?'
banned="$banned|getaddrinfo|poll|ppoll|select|epoll_.*|pthread_.*"
banned="$banned|time|clock_gettime|gettimeofday|getenv|exit|_exit|system"
banned="$banned|printf|fprintf|vfprintf|puts|fputs|perror|syslog|stdout|stderr"
build=build
[ -f $build/libbase.a ] || build=build/stock # ACCEL=0
for archive in $build/libbase.a $build/libpolicy.a $build/libcerts.a; do
	if [ ! -f $archive ]; then
		echo "lint: $archive is not there: its symbols were not looked at (make)"
		continue
	fi
	nm -u $archive | awk '$1 == "U" { print $2 }' | sort -u |
	grep -E "^(__)?($banned)(_chk)?\$" | sed "s|^|$archive: |"
done | {
	while read -r line; do
		case $line in
		lint:*) echo "$line" ;;
		*) echo "$line" >>"$tmp/symbols" ;;
		esac
	done
}
[ ! -f "$tmp/symbols" ] || broken \
    'layers 0 and 1 know no socket, thread, clock or log' <"$tmp/symbols"

# --- texts -------------------------------------------------------------------

banned='strtok|strtok_r|strcpy|strcat|sprintf|vsprintf|atoi|atol|atoll|atof'
banned="(^|[^a-zA-Z0-9_])($banned|gets|tmpnam|mktemp|alloca)[ 	]*\("
grep -nHE "$banned" $(sources proxy policy certs) |
grep -vE ':[0-9]+:[ 	]*(/?\*|//)' | broken 'a banned function'
grep -nHE "$banned" $(sources tests bench) | cut -d: -f1 | uniq -c |
while read -r n file; do
	echo "lint: $file: $n calls that proxy/ may not make"
done

find Makefile proxy policy certs images tests bench .ci \
    \( -name node_modules -o -name __pycache__ -o -name corpus \) -prune -o \
    -type f \( -name Makefile -o -name '*.[ch]' -o -name '*.def' \
    -o -name '*.sh' -o -name '*.mk' -o -name '*.py' -o -name '*.js' \
    -o -name 'Dockerfile*' -o -name '*.service' \) -print |
xargs awk '
	BEGIN { for (i = 1; i < ARGC; i++) bare[ARGV[i]] = 1 }
	FNR > 5 { nextfile }
	/SPDX-License-Identifier: Apache-2.0/ { delete bare[FILENAME] }
	END { for (f in bare) print f }' |
broken 'no "SPDX-License-Identifier: Apache-2.0" at the top'

# --- sizes -------------------------------------------------------------------

# A definition is a name at the margin, then "{" and "}" there.
awk '
	FNR == 1 { name = ""; inside = 0 }
	/^[a-zA-Z_][a-zA-Z0-9_]*\(/ { name = $0; sub(/\(.*/, "", name)
		start = FNR }
	/^\{/ && name != "" { inside = 1 }
	/^\}/ && inside { print FNR - start + 1, FILENAME ":" start, name
		inside = 0; name = "" }
' $(sources proxy policy certs tests bench) | sort -n >"$tmp/functions"

# Does a comment in the file say why it is the exception?
explained() {
	grep -qE '(/?\*|//).*lint:' "$1"
}

awk -v max=$max_function '$1 > max' "$tmp/functions" |
while read -r lines place name; do
	if explained "${place%%:*}"; then
		echo "lint: $place: $name() has $lines lines (explained)"
	else
		echo "$place: $name() has $lines lines" >>"$tmp/long"
	fi
done
[ ! -f "$tmp/long" ] || broken \
    "a function over $max_function lines, and no comment with \"lint:\" why" \
    <"$tmp/long"

for file in $(sources proxy policy certs tests bench); do
	lines=$(wc -l <"$file")
	[ "$lines" -gt $max_file ] || continue
	if explained "$file"; then
		echo "lint: $file has $lines lines (explained)"
	else
		echo "$file: $lines lines" >>"$tmp/big"
	fi
done
[ ! -f "$tmp/big" ] || broken \
    "a file over $max_file lines, and no comment with \"lint:\" why" \
    <"$tmp/big"

awk '{ n[NR] = $1; short += $1 <= 50 } END {
	printf "lint: %d functions, median %d lines, longest %d, ",
	    NR, n[int((NR + 1) / 2)], n[NR]
	printf "%.1f%% at most 50\n", 100 * short / NR }' "$tmp/functions"

# --- format ------------------------------------------------------------------

# Only told: one version of clang-format is not content with another's work.
# All at once, since it takes longer to start than to read a file; only where
# something was found, one by one, to name the files.
if command -v clang-format >/dev/null 2>&1; then
	files=$(sources proxy policy certs tests bench)
	clang-format --dry-run -Werror $files 2>/dev/null ||
	for file in $files; do
		clang-format --dry-run -Werror "$file" 2>/dev/null ||
			echo "$file"
	done >"$tmp/format"
	if [ -s "$tmp/format" ]; then
		echo "lint: clang-format would change $(wc -l <"$tmp/format")" \
		    "files (make format):" $(cat "$tmp/format")
	fi
else
	echo 'lint: no clang-format here: the format was not looked at'
fi

[ ! -e "$tmp/failed" ] || { echo 'lint: failed' >&2; exit 1; }
echo 'lint: nothing to complain about'
