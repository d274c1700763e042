#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The example of docs/guest-abi.md is a guest that does what the page says.
set -eu
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

sed -n '/^```asm$/,/^```$/{/^```/d;p}' docs/guest-abi.md >"$scratch/example.s"
as --64 -o "$scratch/example.o" "$scratch/example.s"
ld -m elf_x86_64 -nostdlib -static --build-id=none -z noexecstack -z max-page-size=0x1000 \
	-T tests/guest/lib/guest.lds -o "$scratch/example" "$scratch/example.o"
output=$(tests/vm --kernel "$scratch/example" --timeout 60 </dev/null 2>&1) && status=0 || status=$?
said=$(grep -a '^(control) ' <<<"$output" || true)
if [ "$status" != 0 ] || [ "$said" != $'(control) system call\n(control) undefined!!' ]; then
	printf 'status %s; output:\n%s\n' "$status" "$output"
	exit 1
fi
