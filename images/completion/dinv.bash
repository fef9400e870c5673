# SPDX-License-Identifier: Apache-2.0
# bash completion for dinv.  It asks the program (-h, which changes nothing),
# so it knows every command and flag that the program does.

# Reads a help: words (commands below it), flags, and what their values are
# called, all of them _dinv's.
_dinv_read() {
	local line listed=

	words=() flags=() values=()
	while IFS= read -r line; do
		if [[ $line == *'(each has -h):' ]]; then
			listed=1
		elif [[ $line =~ ^'  '(-[a-z][a-z-]*)' '(.*)$ ]]; then
			flags+=("${BASH_REMATCH[1]}")
			values+=("${BASH_REMATCH[2]}")
		elif [[ $listed && $line =~ ^'  '([a-z][a-z-]*)' ' ]]; then
			words+=("${BASH_REMATCH[1]}")
		fi
	done
}

# What may follow a flag: by what its value is called.
_dinv_value() {
	local flag=$1 value=$2 current=$3

	case $value in
	*DIR*) compgen -d -- "$current" ;;
	*FILE* | *PATH*) compgen -f -- "$current" ;;
	esac
	if [[ $flag == -policy ]]; then
		compgen -W "$("$program" policy show 2>/dev/null)" -- "$current"
	fi
}

_dinv() {
	local program=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]} i
	local previous=${COMP_WORDS[COMP_CWORD - 1]/#--/-}
	local -a words flags values command=()

	# The command: as long as the help of what is there names the next.
	_dinv_read < <("$program" help 2>/dev/null)
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ " ${words[*]} " == *" ${COMP_WORDS[i]} "* ]] || break
		command+=("${COMP_WORDS[i]}")
		_dinv_read < <("$program" "${command[@]}" -h 2>/dev/null)
	done
	if [[ ${#command[@]} -eq 0 && $current$previous == *-* ]]; then
		_dinv_read < <("$program" -h 2>/dev/null)
	fi

	for i in "${!flags[@]}"; do
		if [[ $COMP_CWORD -gt 1 && ${flags[i]} == "$previous" &&
			-n ${values[i]} ]]; then
			mapfile -t COMPREPLY < <(
				_dinv_value "$previous" "${values[i]}" "$current")
			return
		fi
	done
	if [[ $current == --* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${flags[*]/#-/--}" -- "$current")
	elif [[ $current == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${flags[*]} -h" -- "$current")
	elif [[ ${#words[@]} -gt 0 ]]; then
		mapfile -t COMPREPLY < <(compgen -W "${words[*]}" -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -o filenames -F _dinv dinv
