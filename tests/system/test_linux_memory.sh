#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 6000
# Linux changes its address spaces in every way there is, natively and as the control domain, and finds
# there what must be there; the hypervisor compares its shadows with the page tables meanwhile.
set -u
cd "$(dirname "$0")/../.."
linux=${O:-build}/linux
options="panic=-1 quiet secretmem.enable=1 rf.test=memory memory_tests=all"
failures=0

# judge NAME OUTPUT: it must have succeeded, and have left nothing out that this much memory allows.
judge() {
	local skipped
	skipped=$(grep -aoP '^memory: skipped \K\w+' <<<"$2" | sort | tr '\n' ' ')
	[ -z "$large" ] || [ -z "$skipped" ] || skipped="$skipped(nothing may be)"
	if grep -qaE 'RESULT: SUCCESS$' <<<"$2" && [[ "$skipped" != *may* ]]; then
		echo "ok: $1: $(grep -ac '^memory: ok' <<<"$2") checks, skipped: ${skipped:-none}"
	else
		printf '%s: skipped %s\n%s\n' "$1" "${skipped:-none}" "$2"
		failures=$((failures + 1))
	fi
}

natively() {
	local large=$3
	judge "natively, $1 processors, $2 MiB" "$(timeout 1200 qemu-system-x86_64 -accel tcg -cpu max \
		-smp "$1" -m "$2" -nodefaults -display none -no-reboot -serial stdio \
		-kernel "$linux/bzImage" -initrd "$linux/initrd.gz" \
		-append "console=ttyS0 $options" </dev/null 2>&1 | tr -d '\r')"
}

# Large pages turn themselves off where there are less than 512 MiB for them.
under_hypervisor() {
	local large=$3
	judge "control domain, $1 processors, $2 MiB" "$(tests/vm --timeout 1200 --smp "$1" --mem "$2" \
		--kernel "$linux/vmlinux" --initrd "$linux/initrd.gz" --control "vcpus=$1" \
		--hv-append 'console=raw' --append "console=hvc0 $options" </dev/null 2>&1)"
}

under_hypervisor 2 768 large
if [ -n "${RF_FULL:-}" ]; then
	options="$options memory_rounds=3"
	under_hypervisor 1 256 ''
	under_hypervisor 4 2048 large
	under_hypervisor 4 512 ''
	natively 1 256 ''
	natively 4 2048 large
fi
natively 2 768 large
[ "$failures" = 0 ]
