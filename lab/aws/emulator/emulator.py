"""Runs one emulator (ministack or moto) so that nothing of it outlives the process that started it.

    python emulator.py ministack|moto SCRATCH_DIR

Binds a free loopback port itself (the kernel hands it out, so two starts cannot meet), prints
{"port": ...} as one line on stdout, and serves. It lives as long as its stdin: at end of file, however the
parent died, the scratch folder is removed and the whole process group, Lambda workers included, is killed. It
therefore has to be started as the leader of a process group of its own.
Limit: a SIGKILL of this process alone leaves the workers to end by themselves on their closed stdin.
"""

import importlib
import json
import os
import shutil
import signal
import socket
import sys
import threading
import traceback


def end_of_life(scratch):
    shutil.rmtree(scratch, ignore_errors=True)
    # Its parent is shared with the other emulator: the last one to end removes it, with all that is in it.
    shared = os.path.dirname(scratch)
    if not any(os.path.exists(os.path.join(shared, service)) for service in ("ministack", "moto")):
        shutil.rmtree(shared, ignore_errors=True)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def live_as_long_as_stdin(scratch):
    def watch():
        while sys.stdin.buffer.read(4096):
            pass
        end_of_life(scratch)

    threading.Thread(target=watch, daemon=True, name="stdin-watch").start()


def loopback_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    sock.listen(256)
    return sock


def serve_ministack(sock):
    import asyncio

    # The script's own folder is not on the path (PYTHONSAFEPATH), and is to stay as it is.
    sys.dont_write_bytecode = True
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    # The files' names have dashes, as all of them here; the import statement knows no such names.
    for name in ("emulator-fixes", "stack-fixes", "stacks-in-moto", "sandbox-starts"):
        importlib.import_module(name).apply()
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    config = Config()
    config.bind = [f"fd://{sock.detach()}"]
    config.backlog = 256
    config.keep_alive_timeout = 75
    config.loglevel = os.environ.get("LOG_LEVEL", "INFO")
    asyncio.run(serve(app, config))


def serve_moto(sock, port):
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    app = DomainDispatcherApplication(create_backend_app)
    make_server(
        "127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler, fd=sock.fileno()
    ).serve_forever()


def main():
    service, scratch = sys.argv[1:]
    live_as_long_as_stdin(scratch)
    sock = loopback_socket()
    port = sock.getsockname()[1]
    os.environ.update({"GATEWAY_PORT": str(port), "MOTO_PORT": str(port)})
    print(json.dumps({"port": port}), flush=True)
    # From here on stdout is the log as well; what the parent still has to hear goes through a descriptor of its own.
    os.environ["VIPSHIFT_LAB_PARENT"] = str(os.dup(1))
    os.dup2(2, 1)
    try:
        serve_ministack(sock) if service == "ministack" else serve_moto(sock, port)
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    end_of_life(scratch)


if __name__ == "__main__":
    main()
