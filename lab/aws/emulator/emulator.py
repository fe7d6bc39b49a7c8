"""Runs one emulator (ministack or moto) so that nothing of it outlives the process that started it.

    python emulator.py ministack|moto SCRATCH_DIR

Binds a free loopback port itself (the kernel hands it out, so two starts cannot meet), prints
{"port": ..., "pid": ...} as one line on stdout, and serves. It lives as long as its stdin: at end of file, however the
parent died, the scratch folder is removed and the whole process group, Lambda workers included, is killed. It
therefore has to be started as the leader of a process group of its own. fork-server.py starts emulators without loading
their code each time.
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

# Of no test: moto loads a part of its code at the first call, and that call is made for this account, which is then forgotten.
NO_ACCOUNT = "000000000000"


def end_of_life(scratch):
    shutil.rmtree(scratch, ignore_errors=True)
    # Its parent is shared with the other emulator: the last one to end removes it, with all that is in it.
    shared = os.path.dirname(scratch)
    if not any(os.path.exists(os.path.join(shared, service)) for service in ("ministack", "moto")):
        shutil.rmtree(shared, ignore_errors=True)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def live_as_long_as(starter, scratch):
    def watch():
        while os.read(starter, 4096):
            pass
        end_of_life(scratch)

    threading.Thread(target=watch, daemon=True, name="starter-watch").start()


def loopback_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.bind(("127.0.0.1", 0))
    sock.listen(256)
    return sock


def apply(*names):
    # The script's own folder is not on the path (PYTHONSAFEPATH), and is to stay as it is.
    sys.dont_write_bytecode = True
    sys.path.append(os.path.dirname(os.path.abspath(__file__)))
    # The files' names have dashes, as all of them here; the import statement knows no such names.
    for name in names:
        importlib.import_module(name).apply()


def load_ministack():
    import asyncio

    apply("emulator-fixes", "function-fixes", "stack-fixes", "stacks-in-moto", "sandbox-starts")
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    def run(sock):
        config = Config()
        config.bind = [f"fd://{sock.detach()}"]
        config.backlog = 256
        config.keep_alive_timeout = 75
        config.loglevel = os.environ.get("LOG_LEVEL", "INFO")
        asyncio.run(serve(app, config))

    return run


def load_moto():
    from moto.ec2.models import ec2_backends
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server
    from werkzeug.test import Client

    apply("moto-memory", "moto-fixes")
    app = DomainDispatcherApplication(create_backend_app)
    account = os.environ["MOTO_ACCOUNT_ID"]
    os.environ["MOTO_ACCOUNT_ID"] = NO_ACCOUNT
    scope = f"AWS4-HMAC-SHA256 Credential={NO_ACCOUNT}/20260101/us-east-1/ec2/aws4_request"
    answer = Client(app).get("/?Action=DescribeVpcs&Version=2016-11-15", headers={"authorization": scope})
    if answer.status_code != 200 or ec2_backends.pop(NO_ACCOUNT, None) is None or account in ec2_backends:
        raise SystemExit(f"moto changed: {answer.status} for the first call, then accounts {list(ec2_backends)}")
    os.environ["MOTO_ACCOUNT_ID"] = account

    def run(sock):
        port = sock.getsockname()[1]
        make_server(
            "127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler, fd=sock.fileno()
        ).serve_forever()

    return run


LOADERS = {"ministack": load_ministack, "moto": load_moto}


def live(scratch, starter, load):
    """Serves until the starter hangs up. `starter` is two descriptors: what comes from it, and what goes to it."""
    from_starter, to_starter = starter
    live_as_long_as(from_starter, scratch)
    sock = loopback_socket()
    port = sock.getsockname()[1]
    os.environ.update({"GATEWAY_PORT": str(port), "MOTO_PORT": str(port), "VIPSHIFT_LAB_PARENT": str(to_starter)})
    os.write(to_starter, (json.dumps({"port": port, "pid": os.getpid()}) + "\n").encode())
    try:
        load()(sock)
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    end_of_life(scratch)


def main():
    service, scratch = sys.argv[1:]
    # stdout is the log as well; what the parent has to hear goes through a descriptor of its own.
    to_parent = os.dup(1)
    os.dup2(2, 1)
    live(scratch, (0, to_parent), LOADERS[service])


if __name__ == "__main__":
    main()
