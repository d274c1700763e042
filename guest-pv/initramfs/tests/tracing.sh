#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Code that is patched while it runs: trace points, probes in the kernel and in programs, and where the
# kernel is built for it functions as they are entered and left. All are seen, and nothing is left behind.
set -eu
[ -d /sys/kernel/tracing ] || exit 77
grep -q ' /sys/kernel/tracing ' /proc/mounts || mount -t tracefs tracing /sys/kernel/tracing
cd /sys/kernel/tracing

fail() {
	echo "tracing: $*"
	exit 1
}

# seen PATTERN: how many lines of the trace have it.
seen() {
	grep -c "$1" trace || true
}

echo >trace
echo 1 >events/sched/sched_switch/enable
sleep 0.1
echo 0 >events/sched/sched_switch/enable
[ "$(seen 'sched_switch: prev_comm=')" -ge 2 ] || fail 'no switch of tasks was seen'

# By INT3 at first, by a jump after a while; in the middle of functions, and on their return.
if [ -e kprobe_events ]; then
	number=0
	for function in $(awk '$2 ~ /[tT]/ && $3 ~ /^(vfs|do_sys|ksys|filp|dup)_[a-z_0-9]*$/ { print $3 }' \
		/proc/kallsyms | sort -u | head -n 40); do
		echo "p:into_$number $function" >>kprobe_events 2>/dev/null || continue
		echo "r:from_$number $function \$retval" >>kprobe_events 2>/dev/null || true
		number=$((number + 1))
	done
	[ $number -ge 10 ] || fail "only $number functions can be probed"
	echo >trace
	for round in 1 2 3; do
		echo 1 >events/kprobes/enable
		cat /proc/version >/dev/null
		sleep 0.2
		for run in 1 2 3 4 5; do
			[ "$(cat /proc/version | wc -l)" = 1 ] || fail 'a file reads differently when probed'
		done
		echo 0 >events/kprobes/enable
	done
	[ "$(seen ' into_[0-9]*: (')" -ge 30 ] || fail 'probes were not hit'
	[ "$(seen ' from_[0-9]*: (')" -ge 30 ] || fail 'returns were not seen'
	echo >kprobe_events
	[ ! -s kprobe_events ] || fail 'probes stay'
fi

# The first instruction of a program, by a breakpoint in its code and a step beside it.
if [ -e uprobe_events ]; then
	entry=$((0x$(od -A n -j 24 -N 8 -t x8 /bin/busybox | tr -d ' ')))
	[ $entry -lt $((0x400000)) ] || entry=$((entry - 0x400000))
	echo "p:start /bin/busybox:$(printf '0x%x' $entry)" >uprobe_events
	echo >trace
	echo 1 >events/uprobes/enable
	for run in 1 2 3 4 5; do
		[ "$(/bin/busybox expr 6 \* 7)" = 42 ] || fail 'a program goes wrong when probed'
	done
	echo 0 >events/uprobes/enable
	[ "$(seen ' start: (')" -ge 5 ] || fail 'the program was not seen to start'
	echo >uprobe_events
fi

# trace_functions TRACER PATTERN
trace_functions() {
	grep -qw "$1" available_tracers || return 0
	echo 'vfs_*' >set_ftrace_filter
	echo >trace
	echo "$1" >current_tracer
	cat /proc/version >/dev/null
	echo 0 >tracing_on
	[ "$(seen "$2")" -ge 1 ] || fail "$1: no function was seen"
	echo nop >current_tracer
	echo 1 >tracing_on
	echo >set_ftrace_filter
}

trace_functions function ' vfs_[a-z_]* <-'
trace_functions function_graph ' vfs_[a-z_]*()'

# trace_all TRACER PATTERN: every function there is, and from some to all and back while they are traced.
trace_all() {
	grep -qw "$1" available_tracers || return 0
	size=$(cut -d ' ' -f 1 buffer_size_kb)
	echo 64 >buffer_size_kb
	echo "$1" >current_tracer
	for round in 1 2; do
		echo 1 >tracing_on
		[ "$(cat /proc/version | wc -l)" = 1 ] || fail "$1: a file reads differently when all is traced"
		echo 0 >tracing_on
		[ "$(grep -o "$2" trace | sort -u | wc -l)" -ge 100 ] || fail "$1: not every function was seen"
		echo 1 >tracing_on
		echo 'vfs_*' >set_ftrace_filter
		cat /proc/version >/dev/null
		echo >set_ftrace_filter
	done
	echo nop >current_tracer
	echo "$size" >buffer_size_kb
}

# QEMU before 8.1 may run a breakpoint for ever that is no longer there, if several of its threads are
# processors and all functions are changed: with more than one only if asked for (rf.trace=all).
if grep -qw 'rf.trace=all' /proc/cmdline; then
	grep -qw function_graph available_tracers || fail 'no tracer of functions is there'
	all=yes
fi
if [ -n "${all-}" ] || [ "$(nproc)" = 1 ]; then
	trace_all function '[a-z_0-9]* <-'
	trace_all function_graph '[a-z_0-9]*()'
fi
echo >trace
