"""Starts the built server on free loopback ports and ends it again."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import threading


class Sidecar:
    """A server for these variants, as a context manager."""

    def __init__(self, variants, **settings):
        self.config = {
            "listen": "127.0.0.1:0",
            "admin_listen": "127.0.0.1:0",
            "log": {"format": "json"},
            "reflection": True,
            "variants": variants,
            **settings,
        }

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(self.folder.name) / "payhook.yaml"
        # JSON is YAML.
        path.write_text(json.dumps(self.config))
        self.process = subprocess.Popen(
            [os.environ["PAYHOOK_BINARY"], "serve", "--dev", "--config", str(path)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            fields = json.loads(line)["fields"]
            if fields.get("message") == "Serving":
                self.address = fields["listen"].split("Tcp(")[1].split(")")[0]
                # A pipe that nobody reads fills up and stops whoever writes to it.
                self.rest = []
                drain = threading.Thread(target=lambda: self.rest.extend(self.process.stderr))
                drain.daemon = True
                drain.start()
                return self
        raise RuntimeError("the server did not start")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=20)
        self.folder.cleanup()
        assert code == 0, f"exit {code}: {self.rest[-3:]}"
