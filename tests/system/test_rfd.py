#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""rfd on a live node: its answers to curl, guests that panic and are made again, the log of one that prints without end,
the daemon killed again and again with a guest unharmed, guests that start with the node, the store that is
kept running, back ends that do not last; and its metrics, as promtool sees them.

needs: linux
timeout: 1500
"""
import base64
import gzip
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "bench"))
import node
import peers

URL = "curl -sS --max-time 100 --unix-socket /run/ringfence/rfd.sock http://rfd"
LOG_KIB = 64
KILLS = 5


def curl(m, path, more=""):
    """The answer's JSON, and its HTTP status."""
    status, text = m.run(f"{URL}{path} {more} -w '\\n%{{http_code}}\\n'")
    assert status == 0, text
    body, code = text.strip().rsplit("\n", 1)
    return json.loads(body), int(code)


def get(m, path):
    answer, code = curl(m, path)
    assert code == 200, (path, answer)
    return answer


def post(m, path, body="", code=200):
    answer, got = curl(m, path, f"-X POST -d '{body}'")
    assert got == code, (path, answer)
    return answer


def restart_rfd(m, options="", signal="-9"):
    m.run(f"kill {signal} $(pidof rfd); while pidof rfd; do sleep 0.1; done")
    status, text = m.run(f"rfd --background --helper 'store=rfstored --no-sync' {options}")
    assert status == 0, text


def tell(m, name, command):
    """Types a line at a guest's console."""
    m.run(f"printf '%s\\n' '{command}' | {URL}/v1/domains/{name}/console -X POST --data-binary @-")


def log(m, name):
    return m.run(f"cat /var/log/ringfence/{name}.log.1 /var/log/ringfence/{name}.log 2>/dev/null")[1]


def wait_until(m, condition, what):
    for _ in range(240):
        if condition():
            return
        m.run("sleep 0.5")
    raise AssertionError(f"not in two minutes: {what}")


def wait_for_log(m, name, pattern):
    wait_until(m, lambda: re.search(pattern, log(m, name), re.M), f"{pattern!r} in the log of {name}")


def events(m, name):
    return [event["event"] for event in get(m, "/v1/events")["events"] if event.get("name") == name]


# --- Answers --------------------------------------------------------------------------------------

def answers(m):
    assert re.search(r"^ok +daemon +rfd [0-9.]+ answers$", m.rf("check"), re.M)
    configuration = json.loads(m.run("cat /etc/ringfence/hello.json")[1])
    configuration = dict(configuration, name="web", kernel="/boot/linux", initrd="/boot/initrd.gz")
    made = post(m, "/v1/domains", json.dumps({"config": configuration, "paused": True}))
    assert made["name"] == "web", made
    listed = get(m, "/v1/domains")
    assert [domain["name"] for domain in listed] == ["control", "web"]
    assert listed[1] == {key: value for key, value in m.json("info web").items() if key != "config"}
    assert get(m, "/v1/domains/web") == m.json("info web")
    assert get(m, "/v1/node").keys() == m.json("info").keys()
    post(m, "/v1/domains/web/unpause")
    wait_for_log(m, "web", "RINGFENCE-LINUX-UP")
    tell(m, "web", "echo answer-$((6*7))")
    wait_for_log(m, "web", "^answer-42")
    assert get(m, "/v1/domains/web/stats")[-1]["count"] > 0
    assert events(m, "web") == ["created", "running"]
    post(m, "/v1/domains/web/pause")
    assert get(m, "/v1/domains/web")["state"] == "paused"
    post(m, "/v1/domains/web/unpause")
    assert post(m, "/v1/domains/nobody/pause", code=404)["status"] == 3
    assert post(m, "/v1/domains", '{"config": {', code=400)["status"] == 2
    m.run("head -c 2000000 /dev/zero >/tmp/huge")
    assert curl(m, "/v1/domains", "-X POST --data-binary @/tmp/huge")[1] == 413
    post(m, "/v1/domains/web/shutdown", '{"timeout": 200}')
    assert m.names() == ["control"]
    wait_until(m, lambda: events(m, "web")[-2:] == ["powered-off", "removed"], "events of the end")
    assert "reboot: Power down" in log(m, "web"), "its last words"
    assert "powered-off" in m.rf("events")


def promtool():
    """Debian's, installed or only unpacked: its package would start a service."""
    found = shutil.which("promtool")
    return found or str(peers.unpacked("prometheus")[0] / "usr/bin/promtool")


def metrics(m):
    m.run("truncate -s 1M /tmp/metrics.img")
    m.rf("create hello disks=/tmp/metrics.img nets=bridge=rf0")
    m.wait_for_guest("hello")
    m.run("sleep 6")
    packed = m.run(f"{URL}/metrics | gzip | base64")[1]
    page = gzip.decompress(base64.b64decode(packed))
    checked = subprocess.run([promtool(), "check", "metrics"], input=page, capture_output=True, check=False)
    assert checked.returncode == 0 and not checked.stderr + checked.stdout, (checked, page.decode())
    values = dict(line.rsplit(" ", 1) for line in page.decode().splitlines() if not line.startswith("#"))
    domain = m.json("domid hello")
    assert values["ringfence_domains"] == "2"
    assert values[f'ringfence_domain_state{{domain="hello",id="{domain}",state="running"}}'] == "1"
    assert float(values[f'ringfence_vcpu_cpu_seconds_total{{domain="hello",id="{domain}",vcpu="0"}}']) > 0
    assert float(values[f'ringfence_domain_entries_total{{domain="hello",id="{domain}",reason="page_fault"}}']) > 100
    # It has looked for partitions.
    assert int(values[f'ringfence_disk_reads_total{{domain="hello",id="{domain}",disk="0"}}']) > 0
    assert f'ringfence_net_received_packets_total{{domain="hello",id="{domain}",net="0"}}' in values
    m.rf("destroy hello")


# --- What it does by itself -----------------------------------------------------------------------

def crash(m):
    m.rf("create hello name=doomed on_crash=restart")
    wait_for_log(m, "doomed", "RINGFENCE-LINUX-UP")
    serial = m.json("info doomed")["serial"]
    tell(m, "doomed", "echo c >/proc/sysrq-trigger")
    wait_until(m, lambda: "doomed" in m.names() and m.json("info doomed")["serial"] != serial, "a new one")
    wait_for_log(m, "doomed", "(?s)sysrq triggered crash.*RINGFENCE-LINUX-UP")
    assert {"crashed", "restarted"} <= set(events(m, "doomed"))
    m.rf("destroy doomed")


def flood(m):
    restart_rfd(m, f"--log-size {LOG_KIB}", "-TERM")
    m.rf("create hello name=loud on_crash=preserve")
    wait_for_log(m, "loud", "RINGFENCE-LINUX-UP")
    tell(m, "loud", "yes abcdefghijklmnopqrstuvwxyz >/dev/hvc0")
    wait_until(m, lambda: m.run("ls /var/log/ringfence/loud.log.1")[0] == 0, "a second file")
    m.run("sleep 10")
    sizes = m.run("stat -c %s /var/log/ringfence/loud.log /var/log/ringfence/loud.log.1")[1].split()
    assert all(0 < int(size) <= LOG_KIB << 10 for size in sizes), sizes
    assert get(m, "/v1/domains/loud")["state"] == "running"
    m.rf("destroy loud")


def killed(m):
    m.rf("create hello name=steady")
    wait_for_log(m, "steady", "RINGFENCE-LINUX-UP")
    serial = m.json("info steady")["serial"]
    tell(m, "steady", "i=0; while :; do echo line-$i; i=$((i+1)); sleep 0.1; done")
    wait_for_log(m, "steady", "^line-1")
    for _ in range(KILLS):
        m.run("sleep 1")
        restart_rfd(m)
    wait_until(m, lambda: len(re.findall(r"^line-\d+$", log(m, "steady"), re.M)) > 50, "many lines")
    info = get(m, "/v1/domains/steady")
    assert (info["serial"], info["state"]) == (serial, "running"), info
    numbers = [int(number) for number in re.findall(r"^line-(\d+)$", log(m, "steady"), re.M)]
    assert numbers == list(range(len(numbers))), f"a gap, or a line twice: {numbers}"
    m.rf("destroy steady")
    status, text = m.run("rfd")
    assert status == 4 and "another rfd" in text, text


def autostart(m):
    m.rf("define hello name=kept --autostart")
    assert [(row["name"], row["autostart"]) for row in m.json("definitions")] == [("kept", True)]
    # As after a start of the machine.
    m.run("rm /run/ringfence/autostarted")
    restart_rfd(m)
    wait_until(m, lambda: "kept" in m.names(), "a guest that starts with the node")
    m.rf("start kept", status=1)
    m.rf("destroy kept")
    restart_rfd(m)
    m.run("sleep 2")
    assert m.names() == ["control"], "once after the machine has started"
    m.rf("start kept --paused")
    m.rf("destroy kept")
    m.rf("undefine kept")
    m.rf("start kept", status=3)


def store(m):
    """It is kept running, and goes on when the daemon is killed."""
    first = m.run("pidof rfstored")[1].strip()
    assert first.isdigit(), first
    m.run(f"kill -9 {first}")
    wait_until(m, lambda: m.run("pidof rfstored")[1].strip() not in ("", first), "another")
    wait_until(m, lambda: m.run("rf store-ls /")[0] == 0, "an answer of the store")
    second = m.run("pidof rfstored")[1].strip()
    restart_rfd(m)
    m.run("sleep 2")
    assert m.run("pidof rfstored")[1].split() == [second], "it is taken over"
    m.run("sleep 6")
    assert 'ringfence_helper_up{helper="store"} 1' in m.run(f"{URL}/metrics")[1]


def monitor(m, domain):
    """The first process of that guest's back end; empty if there is none."""
    return m.run(f"ps -o pid,ppid,args | awk '/rf-net {domain} 0$/ {{ p[$1] = $2 }} END {{ for (i in p) if (!(p[i] in p)) print i }}'")[1].strip()


def back_end(m):
    """One that is killed is started again; one that dies at once, again and again, later each time, and it works when it can."""
    m.rf("create hello name=wired nets=bridge=rf0")
    domain = m.json("domid wired")

    def row():
        [found] = [helper for helper in get(m, "/v1/helpers") if helper["name"] == f"rf-net {domain}/0"]
        return found
    wait_for_log(m, "wired", "RINGFENCE-LINUX-UP")
    wait_until(m, lambda: m.json("net-list wired")[0]["state"] == "connected", "connected")
    assert row() == {"name": f"rf-net {domain}/0", "running": True, "domain": domain, "starts": 0}
    m.run(f"kill -9 {monitor(m, domain)}")
    wait_until(m, lambda: row()["running"] and row()["starts"] == 1, "another one")
    assert "wait" not in row()
    # In the foreground it says what it does where we can read it.
    m.run("kill -9 $(pidof rfd); while pidof rfd; do sleep 0.1; done")
    m.run("mv /bin/rf-net /bin/rf-net.away; ln -s /bin/false /bin/rf-net")
    m.run(f"kill -9 {monitor(m, domain)}; {{ rfd --helper 'store=rfstored --no-sync' >/dev/null 2>/tmp/rfd.log & }}")
    wait_until(m, lambda: "again in 8 seconds" in m.run("cat /tmp/rfd.log")[1], "it is put off")
    said = re.findall(rf"rf-net {domain}/0: has not lasted; is started again in (\d+) seconds", m.run("cat /tmp/rfd.log")[1])
    assert said == ["2", "4", "8"], said
    wait_until(m, lambda: not row()["running"] and 0 < row().get("wait", 0) <= 16, "it waits")
    assert row()["starts"] >= 3
    m.run("rm /bin/rf-net; mv /bin/rf-net.away /bin/rf-net")
    wait_until(m, lambda: row()["running"] and "wait" not in row(), "it runs again")
    wait_until(m, lambda: m.json("net-list wired")[0]["state"] == "connected", "connected")
    tell(m, "wired", "echo begun-$(dmesg | grep -c begun.again)")
    wait_for_log(m, "wired", "begun-2")
    m.rf("destroy wired")
    restart_rfd(m)


TESTS = (answers, metrics, crash, flood, killed, autostart, store, back_end)


def main():
    if not shutil.which("curl"):
        sys.exit("curl is missing: run `make deps`")
    with tempfile.TemporaryDirectory() as folder:
        extra, initrd = pathlib.Path(folder, "curl.gz"), pathlib.Path(folder, "initrd.gz")
        subprocess.run([node.ROOT / "guest-pv/initramfs/build", "--only", "--program", "/usr/bin/curl", extra], check=True)
        initrd.write_bytes((node.LINUX / "node.gz").read_bytes() + extra.read_bytes())
        # 1: a domain has crashed.
        node.run(node.Node(timeout=1400, initrd=initrd), TESTS, status=1, places=16)


main()
