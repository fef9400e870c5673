# SPDX-License-Identifier: Apache-2.0
# fish completion for dinv.  It asks the program (-h, which changes nothing),
# so it knows every command and flag that the program does.

function __dinv_words
    sed -n '/(each has -h):$/,$s/^  \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end

function __dinv_flags
    sed -n '/^  -[a-z]/{
        N
        s/^  \(-[a-z][a-z-]*\) \([^\n]*\)\n *\(.*\)/\1\t\2\t\3/p
    }'
end

function __dinv_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -l program $tokens[1]
    set -l previous (string replace -r '^--' '-' -- $tokens[-1])
    set -l command
    set -l words ($program help 2>/dev/null | __dinv_words)

    for token in $tokens[2..]
        string match -q -- "$token"\t'*' $words; or break
        set -a command $token
        set words ($program $command -h 2>/dev/null | __dinv_words)
    end
    set -l flags ($program $command -h 2>/dev/null | __dinv_flags)

    for line in $flags
        set -l part (string split \t -- $line)
        if test (count $tokens) -gt 1 -a "$part[1]" = "$previous" -a -n "$part[2]"
            switch $part[2]
                case '*DIR*'
                    __fish_complete_directories $current
                case '*FILE*' '*PATH*'
                    __fish_complete_path $current
            end
            test $previous = -policy; and $program policy show 2>/dev/null
            return
        end
    end
    if string match -q -- '-*' $current
        set -l dash (string match -q -- '--*' $current; and echo -)
        for line in $flags
            set -l part (string split \t -- $line)
            printf '%s\t%s\n' "$dash$part[1]" "$part[2] $part[3]"
        end
        printf '%s\t%s\n' -h 'print this'
    else if test (count $words) -gt 0
        printf '%s\n' $words
    else
        __fish_complete_path $current
    end
end

complete -c dinv -f -a '(__dinv_complete)'
