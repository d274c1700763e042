#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A file system on a loop device: written, unmounted, mounted again, compared.
set -eu
grep -qw ext4 /proc/filesystems || exit 77
[ -b /dev/loop0 ] || exit 77
directory=$(mktemp -d /tmp/disk.XXXXXX)
mkdir "$directory/mounted"
loop=
trap 'umount "$directory/mounted" 2>/dev/null || true; [ -z "$loop" ] || losetup -d "$loop"; rm -rf "$directory"' EXIT

dd if=/dev/zero of="$directory/image" bs=1M count=24 2>/dev/null
loop=$(losetup -f)
losetup "$loop" "$directory/image"
mke2fs "$loop" >/dev/null
dd if=/dev/urandom of="$directory/data" bs=1M count=8 2>/dev/null
for round in 1 2; do
	mount -t ext4 "$loop" "$directory/mounted"
	[ $round = 1 ] || cmp "$directory/data" "$directory/mounted/data"
	cp "$directory/data" "$directory/mounted/data"
	sync
	umount "$directory/mounted"
done
