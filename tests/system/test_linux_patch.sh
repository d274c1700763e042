#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guest-pv/patch-linux on small trees of its own: what applies, what is refused and how that is said, and
# that a tree to which something does not apply stays as it was.
set -u
cd "$(dirname "$0")/../.." || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0
tree=$scratch/tree
tool=$scratch/guest-pv/patch-linux

wrong() {
	echo "$*"
	failures=$((failures + 1))
}

# new_tree VERSION PATCHLEVEL: a kernel's source, as far as patch-linux looks.
new_tree() {
	rm -rf "$tree"
	mkdir -p "$tree/arch/x86" "$tree/mm"
	printf '# SPDX-License-Identifier: GPL-2.0\nVERSION = %s\nPATCHLEVEL = %s\nSUBLEVEL = 55\n' "$1" "$2" \
		>"$tree/Makefile"
	seq 1 40 >"$tree/arch/x86/Kconfig"
	seq 100 140 >"$tree/mm/rmap.c"
}

# make_patch NAME FILE SED-SCRIPT: the difference the script makes to the file in the tree.
make_patch() {
	sed "$3" "$tree/$2" >"$scratch/changed"
	{
		printf 'Subject: change %s\n\nFor the test.\n---\n' "$2"
		diff -u --label "a/$2" --label "b/$2" "$tree/$2" "$scratch/changed"
	} >"$scratch/guest-pv/linux-6.1/$1"
}

# expect STATUS TEXT: of patch-linux on the tree.
expect() {
	local output status=0
	output=$("$tool" "$tree" 2>&1) || status=$?
	[ "$status" = "$1" ] || wrong "expected status $1, not $status: $output"
	grep -qF -- "$2" <<<"$output" || wrong "expected '$2' in: $output"
}

contents() {
	find "$tree" -type f -exec sha256sum {} + | sort
}

# refused TEXT: with this message, and nothing in the tree is other than before.
refused() {
	local before
	before=$(contents)
	expect 1 "$1"
	[ "$(contents)" = "$before" ] || wrong "after '$1' the tree has changed"
}

mkdir -p "$scratch/guest-pv/linux-6.1" "$scratch/guest-pv/src/arch/x86/ringfence" "$scratch/abi"
cp guest-pv/patch-linux "$scratch/guest-pv/"
cp -r abi/. "$scratch/abi/"
echo '/* SPDX-License-Identifier: GPL-2.0 */' >"$scratch/guest-pv/src/arch/x86/ringfence/head.S"
new_tree 6 1
make_patch 0001-first.patch arch/x86/Kconfig 's/^20$/twenty/'
sed -i 's/^20$/twenty/' "$tree/arch/x86/Kconfig"
make_patch 0002-second.patch arch/x86/Kconfig 's/^22$/twenty-two/; s/^6$/six/'
new_tree 6 1
make_patch 0003-third.patch mm/rmap.c 's/^120$/x/'
cat >>"$scratch/guest-pv/linux-6.1/0003-third.patch" <<'END'
--- /dev/null
+++ b/mm/new.c
@@ -0,0 +1 @@
+new
END
printf '# a comment\n0001-first.patch\n0002-second.patch # why\n\n0003-third.patch\n' \
	>"$scratch/guest-pv/linux-6.1/series"

new_tree 6 1
expect 0 '3 patches applied, 1 files added'
grep -q '^twenty-two$' "$tree/arch/x86/Kconfig" && grep -q '^x$' "$tree/mm/rmap.c" &&
	[ -e "$tree/mm/new.c" ] && [ -e "$tree/arch/x86/ringfence/head.S" ] || wrong 'something was not put in'
before=$(contents)
expect 0 'patched already'
[ "$(contents)" = "$before" ] || wrong 'patching twice changed something'

# The headers of the ABI compile with nothing but the kernel's <linux/types.h>.
mkdir -p "$scratch/include/linux"
cat >"$scratch/include/linux/types.h" <<'END'
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long long uint64_t;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long long int64_t;
END
prefix=$tree/arch/x86/include/asm/ringfence/abi/
[ -e "${prefix}io/store.h" ] || wrong 'the folders of abi/ were not put in'
for header in $(find "$prefix" -name '*.h'); do
	name=${header#"$prefix"}
	echo "#include <asm/ringfence/abi/$name>" |
		gcc -std=gnu11 -Wall -Werror -nostdinc -ffreestanding -fsyntax-only -I "$scratch/include" \
			-I "$tree/arch/x86/include" -x c - || wrong "abi/$name does not compile in a kernel"
done

# Lines that moved are found; other lines around a change are not.
new_tree 6 1
sed -i '1i one more' "$tree/arch/x86/Kconfig"
expect 0 '3 patches applied'

new_tree 6 1
sed -i 's/^22$/changed/' "$tree/arch/x86/Kconfig"
refused 'patch-linux: 0001-first.patch does not apply'
refused 'arch/x86/Kconfig: hunk 1, line 17'
new_tree 6 1
sed -i 's/^119$/changed/' "$tree/mm/rmap.c"
refused 'patch-linux: 0003-third.patch does not apply'
refused 'mm/rmap.c: hunk 1'
new_tree 6 1
rm "$tree/mm/rmap.c"
refused '0003-third.patch: changes mm/rmap.c, which'
new_tree 6 1
touch "$tree/mm/new.c"
refused '0003-third.patch: would make mm/new.c'
new_tree 6 1
mkdir -p "$tree/arch/x86/ringfence"
touch "$tree/arch/x86/ringfence/head.S"
refused 'has arch/x86/ringfence/head.S already'

# Another kernel, no kernel, nothing.
new_tree 6 6
refused 'is Linux 6.6.55; the patches are for 6.1.y'
new_tree 6 1
rm -r "$tree/arch"
refused 'not the source of a kernel'
rm -r "$tree"
expect 1 'no such directory'

# Patched with what is different now.
new_tree 6 1
expect 0 '3 patches applied'
echo '/* more */' >>"$scratch/guest-pv/src/arch/x86/ringfence/head.S"
refused 'patched already, by another version'
new_tree 6 1
before=$(contents)
"$tool" --check "$tree" | grep -q '3 patches would apply' || wrong '--check does not say that they apply'
[ "$(contents)" = "$before" ] || wrong '--check changed something'

echo 'no-such.patch' >>"$scratch/guest-pv/linux-6.1/series"
refused 'series names no-such.patch, which is not there'
"$tool" 2>/dev/null
[ $? = 64 ] || wrong 'no argument is not wrong usage'
[ "$failures" = 0 ]
