#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# fork, exec, wait, pipes, signals: many short processes, some at once, and what they hand back.
set -eu

fail() {
	echo "processes: $*"
	exit 1
}

i=0
while [ $i -lt 100 ]; do
	[ "$(/bin/busybox echo $i)" = $i ] || fail "process $i said something else"
	i=$((i + 1))
done

# Exit statuses of children that run at the same time.
children=
for status in 1 2 3 4 5 6 7 8; do
	sh -c "exit $status" &
	children="$children $!:$status"
done
for child in $children; do
	got=0
	wait ${child%:*} || got=$?
	[ $got = ${child#*:} ] || fail "a child ended with $got, not ${child#*:}"
done

sum=$(seq 1 20000 | cat | cat | awk '{ sum += $1 } END { print sum }')
[ "$sum" = 200010000 ] || fail "a pipeline lost or made up data: $sum"

caught=no
trap 'caught=yes' USR1
kill -USR1 $$
[ $caught = yes ] || fail 'a signal to itself was not caught'

sleep 100 &
kill -TERM $!
got=0
wait $! || got=$?
[ $got = 143 ] || fail "a process that was sent SIGTERM ended with $got"

got=0
sh -c 'kill -SEGV $$' || got=$?
[ $got = 139 ] || fail "a process that was sent SIGSEGV ended with $got"
