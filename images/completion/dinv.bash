# SPDX-License-Identifier: Apache-2.0
# bash completion for dinv.  It asks the program (-h, which changes nothing),
# so it knows every command and flag that the program does.

# The help of a command: _dinv_help PROGRAM [WORD]...
_dinv_help() {
	"$@" -h 2>/dev/null
}

# The words of a command that has commands of its own, from its help.
_dinv_words() {
	sed -n '/(each has -h):$/,$s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# "-name" and what its value is called, a line each.
_dinv_flags() {
	sed -n 's/^  \(-[a-z][a-z-]*\) \(.*\)$/\1 \2/p'
}

_dinv_values() {
	case $1 in
	*DIR*) compgen -d -- "$2" ;;
	*FILE* | *PATH*) compgen -f -- "$2" ;;
	esac
}

_dinv() {
	local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]}
	local previous=${COMP_WORDS[COMP_CWORD - 1]} help words flag value i
	local -a command=()

	# The command: as long as the help of what is there names the next.
	words=$("$program" help 2>/dev/null | _dinv_words)
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ $'\n'$words$'\n' == *$'\n'"${COMP_WORDS[i]}"$'\n'* ]] || break
		command+=("${COMP_WORDS[i]}")
		words=$(_dinv_help "$program" "${command[@]}" | _dinv_words)
	done
	help=$(_dinv_help "$program" "${command[@]}")

	COMPREPLY=()
	if [[ $previous == -* && $COMP_CWORD -gt 1 ]]; then
		value=$(_dinv_flags <<<"$help" | while read -r flag value; do
			[[ $flag != "${previous/#--/-}" ]] || echo "$value"
		done)
		if [[ -n $value ]]; then
			mapfile -t COMPREPLY < <(_dinv_values "$value" "$current")
			if [[ $previous == -policy || $previous == --policy ]]; then
				mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -W \
					"$("$program" policy show 2>/dev/null)" -- "$current")
			fi
			return
		fi
	fi
	if [[ $current == -* ]]; then
		words=$(_dinv_flags <<<"$help" | sed 's/ .*//')
		[[ $current != --* ]] || words=$(sed 's/^/-/' <<<"$words")
		mapfile -t COMPREPLY < <(compgen -W "$words -h" -- "$current")
	elif [[ -n $words ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -o filenames -F _dinv dinv
