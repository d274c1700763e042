#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Data written to memory-backed files comes back as it was, after copies, and from several processes.
set -eu
directory=$(mktemp -d /tmp/files.XXXXXX)
trap 'rm -rf "$directory"' EXIT
cd "$directory"

dd if=/dev/urandom of=first bs=64k count=64 2>/dev/null
sum=$(sha256sum <first)
for copy in 1 2 3 4; do
	(cp first copy$copy && gzip -c copy$copy | gunzip -c | cmp - first) &
done
wait
for copy in 1 2 3 4; do
	[ "$(sha256sum <copy$copy)" = "$sum" ] || {
		echo "files: copy $copy differs"
		exit 1
	}
done
tar -cf - copy* | tar -xOf - copy3 | cmp - first
