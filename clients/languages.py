"""Runs the client of one language against the built server, over TCP and over a Unix socket.

usage: languages.py NAME COMMAND...

The command gets addresses and cases by environment, and asks for what only the server's owner can
do by lines on its output: `@freeze`, `@thaw`, `@drain`, `@wait`, `@start`, `@kill`. Each is
answered by a line on its input. Everything else it prints is passed on."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

import cases

# A program that hangs is ended; a run takes a quarter of that.
LIMIT_SECONDS = 120


class Server:
    """`payhook serve` with the variants of the cases."""

    def __init__(self, folder, paypal):
        self.folder = folder
        self.socket = folder / "payhook.sock"
        config = {
            "listen": ["127.0.0.1:0", f"unix:{self.socket}"],
            "admin_listen": "127.0.0.1:0",
            "log": {"format": "json"},
            "limits": {"calls_max": cases.CALLS_MAX, "drain_seconds": cases.DRAIN_SECONDS},
            "variants": cases.variants(folder, paypal),
        }
        # JSON is YAML.
        (folder / "payhook.yaml").write_text(json.dumps(config))

    def start(self):
        command = [os.environ["PAYHOOK_BINARY"], "serve", "--dev", "--config"]
        self.process = subprocess.Popen(
            [*command, str(self.folder / "payhook.yaml")], stderr=subprocess.PIPE, text=True
        )
        for line in self.process.stderr:
            fields = json.loads(line)["fields"]
            if fields.get("message") == "Serving":
                break
        else:
            raise RuntimeError("the server did not start")
        self.tcp = fields["listen"].split("Tcp(")[1].split(")")[0]
        self.admin = fields["admin"].removeprefix("Some(").removesuffix(")")
        # A pipe that nobody reads fills up and stops whoever writes to it.
        drained = threading.Thread(target=self.process.stderr.read, daemon=True)
        drained.start()

    def frozen(self):
        """Waits until every thread stands still: a signal is delivered, not obeyed at once."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task")
        until = time.monotonic() + 10
        while any(state(task) != "T" for task in tasks.iterdir()):
            assert time.monotonic() < until, "a thread goes on"

    def wait(self):
        return self.process.wait(timeout=cases.DRAIN_SECONDS + 10)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


def state(task):
    """A thread's state, as the kernel writes it behind the name in parentheses."""
    return (task / "stat").read_text().rpartition(")")[2].split()[0]


def serve(server, step):
    """Does what the client asks for, and says so."""
    signals = {"freeze": signal.SIGSTOP, "thaw": signal.SIGCONT, "drain": signal.SIGTERM}
    if step in signals:
        server.process.send_signal(signals[step])
        if step == "freeze":
            server.frozen()
        return "done"
    if step == "wait":
        return f"exit {server.wait()}"
    if step == "kill":
        server.process.kill()
        server.process.wait()
        return "done"
    assert step == "start", step
    server.start()
    return f"{server.tcp} {server.admin}"


def run(name, command, server):
    given = json.dumps(cases.cases(server.paypal))
    (server.folder / "cases.json").write_text(given)
    environment = {
        **os.environ,
        "PAYHOOK_TCP": server.tcp,
        "PAYHOOK_ADMIN": server.admin,
        "PAYHOOK_SOCKET": str(server.socket),
        "PAYHOOK_CASES": str(server.folder / "cases.json"),
    }
    client = subprocess.Popen(
        command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    limit = threading.Timer(LIMIT_SECONDS, client.kill)
    limit.start()
    try:
        for line in client.stdout:
            if line.startswith("@"):
                client.stdin.write(serve(server, line[1:].strip()) + "\n")
                client.stdin.flush()
            else:
                print(f"{name}: {line}", end="", flush=True)
        return client.wait()
    finally:
        limit.cancel()
        client.kill()
        client.wait()


def main():
    name, command = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory(prefix="payhook-") as folder:
        paypal = cases.PayPal()
        server = Server(pathlib.Path(folder), paypal)
        server.paypal = paypal
        try:
            server.start()
            code = run(name, command, server)
        finally:
            server.end()
    if code != 0:
        raise SystemExit(f"{name}: exit {code}")


if __name__ == "__main__":
    main()
