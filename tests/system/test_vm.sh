#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# tests/vm ends with the status that its help promises, however the machine ends.
set -u
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# image NAME INSTRUCTIONS: something that QEMU boots in the hypervisor's place.
image() {
	cat >"$scratch/$1.S" <<-END
		.code32
		.globl _start
		.long 0x1badb002, 0, -0x1badb002
	_start:	mov \$0x3f8, %edx
		mov \$'A', %al
		out %al, %dx
		mov \$'\\r', %al
		out %al, %dx
		mov \$'\\n', %al
		out %al, %dx
		$2
	1:	hlt
		jmp 1b
	END
	gcc -m32 -nostdlib -static -Wl,-Ttext=0x100000,--build-id=none,-n,-z,noexecstack -o \
		"$scratch/$1" "$scratch/$1.S" || exit 1
}

# ends STATUS VM-ARGUMENT...
ends() {
	local expected=$1 status
	shift
	tests/vm --kernel none "$@" </dev/null >"$scratch/output" 2>&1
	status=$?
	if [ "$status" = "$expected" ]; then
		echo "ok: $status: $*"
	else
		echo "tests/vm $*: status $status, expected $expected; output:"
		cat "$scratch/output"
		failures=$((failures + 1))
	fi
}

value=16
for status in 0 1 2 3 4; do
	image "exit$status" "mov \$$value, %eax; out %eax, \$0xf4"
	ends "$status" --hv "$scratch/exit$status" --timeout 30
	value=$((value + 1))
done
printf 'A\n' | cmp - "$scratch/output" || failures=$((failures + 1))

image power_off 'mov $0x604, %edx; mov $0x2000, %eax; out %ax, %dx'
ends 0 --hv "$scratch/power_off" --timeout 30
image triple_fault 'push $0; push $0; lidt (%esp); ud2'
ends 5 --hv "$scratch/triple_fault" --timeout 30
image reset 'mov $0xcf9, %edx; mov $6, %al; out %al, %dx'
ends 5 --hv "$scratch/reset" --timeout 30 --smp 2
ends 5 --hv "$scratch/reset" --timeout 30 --smp 2 --one-thread
image hang ''
ends 124 --hv "$scratch/hang" --timeout 3
ends 124 --hv "$scratch/hang" --timeout 3 --qemu -S --qemu '-icount shift=0,sleep=off'
ends 125 --hv "$scratch/hang" --timeout 30 --qemu -no-such-option
ends 64 --hv "$scratch/none"
ends 64 --hv "$scratch/hang" --kernel "$scratch/none"
ends 64 --hv "$scratch/hang" --append x
ends 64 --hv "$scratch/hang" --no-such-option
ends 64 --hv "$scratch/hang" --disk "$scratch/none"

# With --reset it starts again, and again.
ends 124 --hv "$scratch/reset" --timeout 10 --smp 2 --reset
[ "$(grep -c '^A$' "$scratch/output")" -ge 3 ] || {
	cat "$scratch/output"
	failures=$((failures + 1))
}

# Linux, when no other kernel is named; not built, it says how to.
tests/vm -O "$scratch" --hv "$scratch/hang" </dev/null >"$scratch/output" 2>&1
if [ $? != 64 ] || ! grep -q '/linux/vmlinux: .*make linux' "$scratch/output"; then
	echo 'without a built Linux:'
	cat "$scratch/output"
	failures=$((failures + 1))
fi

# Ended from outside, it takes QEMU with it and leaves nothing behind.
TMPDIR=$scratch/temporary
export TMPDIR
mkdir "$TMPDIR"
tests/vm --kernel none --hv "$scratch/hang" --timeout 30 </dev/null >/dev/null 2>&1 &
vm=$!
sleep 2
read -r qemu _ <"/proc/$vm/task/$vm/children"
kill "$vm"
wait "$vm"
status=$?
if [ "$status" != 130 ] || [ -z "$qemu" ] || [ -d "/proc/$qemu" ] || [ -n "$(ls "$TMPDIR")" ]; then
	echo "after SIGTERM: status $status, QEMU '$qemu', left: $(ls "$TMPDIR")"
	failures=$((failures + 1))
fi
[ "$failures" = 0 ]
