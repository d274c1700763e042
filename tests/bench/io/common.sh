# SPDX-License-Identifier: BSD-2-Clause
# What all of them use.

fail() {
	echo "bench: failed: $*"
	dmesg | tail -n 15
	poweroff -f
}

# wait_for COMMAND...: until it succeeds.
wait_for() {
	for turn in $(seq 600); do
		! sh -c "$*" >/tmp/waited 2>&1 || return 0
		sleep 0.2
	done
	fail "waited for: $*: $(cat /tmp/waited)"
}

# The other end of the network.
serve() {
	export io_side=control.
	iperf3 -s >/tmp/iperf3.log 2>&1 &
	latency serve 5202 &
	nc -ll -p 5203 -e /bin/snapshot &
}

# relay FILE: what the guest says, line by line as it comes there, until it has said all.
relay() {
	wait_for "[ -e $1 ]"
	mkfifo /tmp/said
	tail -n +1 -f "$1" >/tmp/said &
	while IFS= read -r line; do
		case $line in
		'bench: end'*) break ;;
		*) echo "$line" ;;
		esac
	done </tmp/said
	kill $!
}
