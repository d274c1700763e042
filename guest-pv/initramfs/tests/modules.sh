#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Modules are loaded and removed, again and again; these test static keys, which patch the kernel's code.
set -eu
folder=/lib/modules/$(uname -r)
[ -d "$folder" ] || exit 77

base=$(find "$folder" -name test_static_key_base.ko)
test=$(find "$folder" -name test_static_keys.ko)
[ -n "$base" ] && [ -n "$test" ] || exit 77
for round in 1 2 3; do
	insmod "$base"
	insmod "$test"
	lsmod | grep -q '^test_static_keys '
	rmmod test_static_keys
	rmmod test_static_key_base
done
! lsmod | grep -q '^test_static_key'
