# SPDX-License-Identifier: BSD-2-Clause
"""The rows, and the table of what was measured."""

TITLES = {
    "randread": "read 4 KiB at random, depth 32",
    "randwrite": "write 4 KiB at random, depth 32",
    "randread-1": "read 4 KiB at random, depth 1",
    "read-1m": "read 1 MiB in order, depth 4",
    "write-1m": "write 1 MiB in order, depth 4",
    "tcp-out": "TCP from the guest, MiB",
    "tcp-in": "TCP to the guest, MiB",
    "trip": "a byte by TCP and back",
}
# Counters, by what they are called in both systems: what the guest sends, what it gets, what is done with grants.
SENT = (r"event_send", r"hypercall_event_send", r"call_event_send")
RECEIVED = (r"irq_(?!timer).*(blk|net|block|eth|xvd|q\d).*",)


def number(value, digits=2):
    return "-" if value is None else f"{value:,.{digits}f}"


def ratio(ours, other):
    return f"{ours / other:.2f}" if other else "-"


def timed_line(name, measured):
    rates = [measured[system][name].rate if name in measured.get(system, {}) else None for system in ("virtio", "ringfence", "xen")]
    compared = [ratio(rates[1], rates[2]) if rates[1] and rates[2] else "-", ratio(rates[1], rates[0]) if rates[1] and rates[0] else "-"]
    return "| " + " | ".join([TITLES[name], *(number(rate, 0) for rate in rates), *compared]) + " |"


def timed(rows, measured):
    """By the clock: what one sees on this host."""
    return "\n".join(["| A second | virtio | Ringfence | Xen | Ringfence is faster than Xen by | than virtio by |",
                      "|---|---|---|---|---|---|", *(timed_line(name, measured) for name in rows)])


def counted_cells(row):
    return [number(row.instructions(), 0), number(row.entries())] if row else ["-", "-"]


def counted_line(name, measured):
    of = {system: measured.get(system, {}).get(name) for system in ("virtio", "ringfence", "xen")}
    ours, xen = of["ringfence"], of["xen"]
    cells = [number(of["virtio"].instructions(), 0) if of["virtio"] else "-", *counted_cells(ours), *counted_cells(xen)]
    cells.append(ratio(xen.instructions(), ours.instructions()) if ours and xen else "-")
    return "| " + " | ".join([TITLES[name], *cells]) + " |"


def counted(rows, measured):
    """Instructions of everybody for one request, and entries into the hypervisor."""
    return "\n".join(["| For one request, or MiB | virtio | Ringfence | | Xen | | Ringfence is faster than Xen by |",
                      "|---|---|---|---|---|---|---|",
                      "| | instructions | instructions | entries | instructions | entries | |",
                      *(counted_line(name, measured) for name in rows)])


def counters(rows, measured):
    """All counters that changed by more than a thousandth for each request."""
    lines = []
    for system, its in measured.items():
        for name in rows:
            row = its.get(name)
            for counter, value in sorted(row.counters.items()) if row else []:
                if abs(value) * 1000 >= row.count:
                    lines.append(f"{system} {name} {counter} {value / row.count:.4f}")
    return "\n".join(lines)
