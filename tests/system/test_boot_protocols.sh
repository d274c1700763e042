#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Multiboot 1, Multiboot 2 (BIOS and UEFI) and PVH hand over the same command line and modules.
set -u
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

head -c 5000 /dev/zero >"$scratch/first"
head -c 300000 /dev/zero >"$scratch/second"
head -c 1 /dev/zero >"$scratch/third"

# Only what the loaders must agree on: not who they are, nor where they put things.
agreed() {
	grep -aoE "Ringfence [0-9.]+$|command line '.*|module [0-9]+: .*" |
		sed -E 's/ [0-9.]+$//; s/ at 0x[0-9a-f]+//'
}

expected="Ringfence
command line 'log-level=debug cpus=2'
module 0: first, 5 KiB, 'domain memory=64M vcpus=2 -- console=hvc0 a,b,,c'
module 1: second, 293 KiB, 'initrd'
module 2: third, 1 KiB, 'domain name=x'"

# boots TEXT VM-ARGUMENT...: the machine must get as far as the list of modules.
boots() {
	local text=$1 output
	shift
	output=$(tests/vm --timeout 120 --hv-append 'log-level=debug cpus=2' --kernel "$scratch/first" \
		--control 'memory=64M vcpus=2' --append 'console=hvc0 a,b,,c' \
		--initrd "$scratch/second" --module "$scratch/third domain name=x" "$@" \
		</dev/null 2>&1)
	if [ "$(agreed <<<"$output")" = "$expected" ] &&
		grep -qa "($text)" <<<"$output" &&
		grep -qaE 'ACPI root pointer at 0x[1-9a-f]' <<<"$output"; then
		echo "ok: $text $*"
	else
		printf 'tests/vm %s: expected %s and\n%s\n--- got\n%s\n' "$*" "$text" "$expected" \
			"$output"
		failures=$((failures + 1))
	fi
}

boots 'Multiboot 1'
boots 'Multiboot 1' --machine q35 --smp 4 --mem 4096
boots PVH --pvh
boots PVH --pvh --machine q35 --smp 4 --mem 128
boots 'Multiboot 2' --iso
boots 'Multiboot 2' --iso --machine q35 --smp 4 --mem 2048
boots 'Multiboot 2' --uefi
boots 'Multiboot 2' --uefi --machine q35 --smp 4 --mem 4096
[ "$failures" = 0 ]
