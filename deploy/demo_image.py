"""Builds localhost/payhook-demo-django:0.1.0 without a registry.

The image is this machine's Python with the shared libraries it needs, the
packages of examples/django/requirements.txt and the example: what its Dockerfile
makes where base images can be pulled.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
DEMO = ROOT / "examples" / "django"
NAME = "localhost/payhook-demo-django:0.1.0"


def run(*command, **options):
    return subprocess.run([str(c) for c in command], check=True, **options)


def libraries(files):
    """Shared libraries, with the loader, that `files` ask for."""
    found = set()
    for file in files:
        out = subprocess.run(["ldd", str(file)], capture_output=True, text=True).stdout
        found |= set(re.findall(r"(/[^ ]+\.so[^ ]*) \(0x", out))
    return found


def place(stage, source):
    target = stage / str(source).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)
    target.chmod(0o755)


def main():
    with tempfile.TemporaryDirectory() as folder:
        stage = pathlib.Path(folder, "rootfs")
        python = pathlib.Path(sys.executable).resolve()
        place(stage, python)
        stdlib = pathlib.Path(sysconfig.get_paths()["stdlib"])
        skip = shutil.ignore_patterns(
            "__pycache__", "test", "tests", "idlelib", "tkinter", "site-packages",
            "dist-packages", "config-*", "ensurepip", "lib2to3", "_tkinter*", "*.a")
        shutil.copytree(stdlib, stage / str(stdlib).lstrip("/"), ignore=skip)
        run(sys.executable, "-m", "pip", "install", "-q", "--target", stage / "lib-app",
            "-r", DEMO / "requirements.txt")
        ignore = shutil.ignore_patterns("__pycache__", "*.sqlite3", "payhook", "Dockerfile")
        shutil.copytree(DEMO, stage / "app", ignore=ignore)
        run("sh", DEMO / "stubs.sh", stage / "app", env={
            "PYTHON": sys.executable, "PATH": "/usr/bin:/bin", "PROTO": str(ROOT / "proto")})
        for source in libraries([python, *stage.rglob("*.so")]):
            place(stage, source)
        for name in ("tmp", "etc"):
            (stage / name).mkdir(exist_ok=True)
        (stage / "etc" / "passwd").write_text("app:x:65532:65532::/tmp:/nologin\n")
        for path in [stage, *stage.rglob("*")]:
            if path.is_dir():
                path.chmod(0o755)
        (stage / "tmp").chmod(0o1777)
        pathlib.Path(folder, "Containerfile").write_text(
            "FROM scratch\nCOPY rootfs /\nWORKDIR /app\n"
            "ENV PYTHONPATH=/lib-app PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1\n"
            f'USER 65532:65532\nENTRYPOINT ["{python}", "start.py"]\n')
        run("buildah", "bud", "--quiet", "--timestamp", "0", "-t", NAME, folder)


if __name__ == "__main__":
    main()
