#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# guest-pv/build-linux and `make linux` say what is wrong before anything is built: options, a tree that the
# patches do not fit. A tree of the user's is never changed.
set -u
cd "$(dirname "$0")/../.." || exit 1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch/cache
tree=$scratch/tree
failures=0

# expect STATUS TEXT COMMAND...
expect() {
	local wanted=$1 text=$2 output status=0
	shift 2
	output=$("$@" 2>&1) || status=$?
	if [ "$status" != "$wanted" ] || ! grep -qF -- "$text" <<<"$output"; then
		printf '%s\nexpected status %s and "%s", got status %s and:\n%s\n' "$*" "$wanted" "$text" \
			"$status" "$output"
		failures=$((failures + 1))
	fi
}

contents() {
	find "$tree" -type f -exec sha256sum {} + | sort
}

new_tree() {
	rm -rf "$tree"
	mkdir -p "$tree/arch/x86"
	printf 'VERSION = 6\nPATCHLEVEL = %s\nSUBLEVEL = 55\nmrproper:\n' "$1" >"$tree/Makefile"
	touch "$tree/arch/x86/Kconfig"
}

expect 0 'usage: guest-pv/build-linux' guest-pv/build-linux --help
expect 64 'no option --none' guest-pv/build-linux --none
expect 64 '--config none: one of base node bench debug' guest-pv/build-linux --config none
expect 64 '--config needs a value' guest-pv/build-linux --config
expect 64 "--fragment $scratch/none: no such file" guest-pv/build-linux --fragment "$scratch/none"
expect 64 '--compression bzip2: one of gzip xz zstd lz4' guest-pv/build-linux --compression bzip2
expect 64 "--linux $tree: no such directory" guest-pv/build-linux --linux "$tree"
expect 64 '--jobs 0: not a number' guest-pv/build-linux --jobs 0

new_tree 6
before=$(contents)
expect 1 "$tree: is Linux 6.6.55; the patches are for 6.1.y" guest-pv/build-linux --linux "$tree"
expect 2 "$tree: is Linux 6.6.55; the patches are for 6.1.y" make linux LINUX="$tree"
[ "$(contents)" = "$before" ] || expect 0 'the tree is unchanged' false

# Of this kernel there is not much.
new_tree 1
before=$(contents)
first=$(sed -n '/^[^#]/{p;q}' guest-pv/linux-6.1/series)
expect 1 "$first: changes" guest-pv/build-linux --linux "$tree"
expect 1 "which $tree (6.1.55) does not have" guest-pv/build-linux --linux "$tree"
[ "$(contents)" = "$before" ] || expect 0 'the tree is unchanged' false

# The initial RAM disk: the same bytes twice.
expect 64 'which FILE?' guest-pv/initramfs/build
expect 1 'none: no such directory' guest-pv/initramfs/build --modules none "$scratch/a"
expect 0 '' guest-pv/initramfs/build --add "Makefile:/etc/added" "$scratch/a"
sleep 1.1
expect 0 '' guest-pv/initramfs/build --add "Makefile:/etc/added" "$scratch/b"
expect 0 '' cmp "$scratch/a" "$scratch/b"
gunzip -c "$scratch/a" | cpio --quiet -t >"$scratch/names"
for name in init bin/busybox bin/sh bin/run-tests tests/processes.sh tests/memory etc/added; do
	expect 0 "$name" grep -x "$name" "$scratch/names"
done
[ "$failures" = 0 ]
