"""Starts emulators out of one process that has loaded their code, so that a start does not load it again.

    python fork-server.py ministack|moto SOCKET

Listens on the Unix socket, prints a line once it does, loads what emulator.py loads, and forks for each connection. The fork
reads one line from it, {"scratch": ..., "log": ..., "env": {...}}, becomes the leader of a process group of its own, and is an
emulator that lives as long as the connection. This process serves nothing itself, so every fork begins with nothing in it. It
lives as long as its stdin, and then removes the socket's folder; the forks do not depend on it.
Limit: the code is loaded with this process's environment, TMPDIR among it, a folder that nothing else is in. Of what it takes
from there while it is loaded, a fork has only the port and the temporary folder of its own.
"""

import gc
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import threading
import traceback

sys.dont_write_bytecode = True
sys.path.append(os.path.dirname(os.path.abspath(__file__)))
import emulator

# No port has this number.
PORT_TO_COME = "65536"
REQUEST_MAX = 1 << 20


def load(service):
    """What serves, and the threads that the code has wanted to start: a fork inherits none, and starts its own."""
    threads = []
    start = threading.Thread.start
    threading.Thread.start = lambda thread: threads.append(
        {"target": thread._target, "args": thread._args, "kwargs": thread._kwargs, "name": thread.name}
    )
    serve = emulator.LOADERS[service]()
    threading.Thread.start = start
    if threading.active_count() != 1:
        raise SystemExit(f"{service} changed: it starts threads in another way, {threading.enumerate()}")
    # What is loaded stays in the memory that all forks share: no collection of a fork has to touch it.
    gc.collect()
    gc.freeze()
    return serve, threads


def replace_kept(old, new):
    """In what modules of MiniStack have kept of their environment: the value, or a path below it."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "ministack":
            continue
        for key, value in vars(module).items():
            if isinstance(value, str) and (value == old or value.startswith(f"{old}/")):
                setattr(module, key, new + value[len(old) :])


def draw_other_ids():
    """Python's own generator does so by itself in a fork; moto has one besides."""
    if "moto" in sys.modules:
        from moto.moto_api._internal import mock_random

        mock_random.seed()


def become_emulator(connection, serve, threads):
    with connection.makefile("rb", buffering=0) as file:
        line = file.readline(REQUEST_MAX)
    if not line:
        return
    request = json.loads(line)
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    for number in (1, 2):
        os.dup2(log, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    loaded_in = os.environ["TMPDIR"]
    os.environ.clear()
    os.environ.update(request["env"])
    tempfile.tempdir = None
    os.chdir(request["scratch"])
    replace_kept(loaded_in, tempfile.gettempdir())
    draw_other_ids()

    def run():
        replace_kept(PORT_TO_COME, os.environ["GATEWAY_PORT"])
        for thread in threads:
            threading.Thread(daemon=True, **thread).start()
        return serve

    emulator.live(request["scratch"], (connection.fileno(), connection.fileno()), run)


def main():
    service, path = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(64)
    print("listening", flush=True)
    # The kernel takes away the forks that end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    os.environ["GATEWAY_PORT"] = PORT_TO_COME
    serve, threads = load(service)
    while True:
        ready, _, _ = select.select([0, listener], [], [])
        if 0 in ready and not os.read(0, 4096):
            return
        if listener not in ready:
            continue
        connection, _ = listener.accept()
        if os.fork() == 0:
            try:
                listener.close()
                become_emulator(connection, serve, threads)
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        connection.close()


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(os.path.dirname(sys.argv[2]), ignore_errors=True)
