#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# presets.sh FILE... > presets.c: the presets' texts as a C file, byte by byte.
set -eu

cat <<'EOF'
/* Made by policy/presets.sh; do not edit. */
#include "policy.h"

EOF
i=0
for f; do
	echo "static const unsigned char text_$i[] = {"
	od -An -v -tu1 "$f" | sed 's/  */ /g; s/^ //; s/ /, /g; s/$/,/'
	echo '};'
	i=$((i + 1))
done
echo 'static const char *const names[] = {'
for f; do
	n=${f##*/}
	echo "	\"${n%.json}\","
done
echo '	NULL,'
echo '};'
echo 'static const struct span texts[] = {'
i=0
for f; do
	echo "	{ (const char *)text_$i, sizeof(text_$i) },"
	i=$((i + 1))
done
cat <<'EOF'
};

const char *const *
policy_preset_names(void)
{
	return names;
}

struct span
policy_preset_text(const char *name)
{
	size_t i;

	for (i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], name) == 0) {
			return texts[i];
		}
	}
	return span_make(NULL, 0);
}
EOF
