#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# TCP over the loopback interface: what arrives is what was sent.
set -eu
[ -e /sys/class/net/lo ] && [ -e /proc/net/tcp ] || exit 77
directory=$(mktemp -d /tmp/network.XXXXXX)
trap 'rm -rf "$directory"' EXIT

ping -c 3 -i 0.2 127.0.0.1 >/dev/null
dd if=/dev/urandom of="$directory/sent" bs=64k count=32 2>/dev/null
# Its input stays open: when nc has none left, the other side takes that for the end.
mkfifo "$directory/nothing"
nc -l -p 4711 >"$directory/received" <>"$directory/nothing" &
for try in 1 2 3 4 5 6 7 8 9 10; do
	grep -qi ':1267 ' /proc/net/tcp && break
	usleep 100000
done
nc 127.0.0.1 4711 <"$directory/sent"
wait
cmp "$directory/sent" "$directory/received"
