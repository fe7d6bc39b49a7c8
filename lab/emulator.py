"""Runs one emulator (ministack or moto) so that nothing of it outlives the process that started it.

    python emulator.py ministack|moto SCRATCH_DIR

Binds a free loopback port itself (the kernel hands it out, so two starts cannot meet), prints
{"port": ...} as one line on stdout, and serves. It lives as long as its stdin: at end of file, however the
parent died, the scratch folder is removed and the whole process group, Lambda workers included, is killed. It
therefore has to be started as the leader of a process group of its own.
Limit: whoever kills only this process with SIGKILL leaves the workers to end by themselves on their closed stdin.
"""

import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
import traceback


def end_of_life(scratch):
    shutil.rmtree(scratch, ignore_errors=True)
    # Its parent is shared with the other emulator: whoever ends last takes it away, with all that is in it.
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


def replace_once(text, old, new):
    if text.count(old) != 1:
        raise SystemExit(f"MiniStack changed: want exactly one {old!r} in its Node worker, found {text.count(old)}")
    return text.replace(old, new)


def make_lambda_faithful():
    """Two places where MiniStack 1.4.21 differs from Lambda in a way that our tests would feel.

    It runs the invocations of one function one after another; Lambda runs each beside the others, in a
    sandbox that serves one at a time. And the context's remaining time is a constant.
    """
    from ministack.core import lambda_runtime as runtime

    runtime._NODEJS_WORKER_SCRIPT = replace_once(
        runtime._NODEJS_WORKER_SCRIPT,
        "getRemainingTimeInMillis: () => 300000,",
        "getRemainingTimeInMillis: ((endMs) => () => Math.max(0, endMs - Date.now()))"
        '(Date.now() + 1000 * Number(process.env._LAMBDA_TIMEOUT || "3")),',
    )
    Sandbox = runtime.Worker

    class Sandboxes:
        def __init__(self, func_name, config, code_zip):
            self._new = lambda: Sandbox(func_name, config, code_zip)
            self._idle, self._all, self._lock = [], [], threading.Lock()

        def invoke(self, event, request_id):
            with self._lock:
                sandbox = self._idle.pop() if self._idle else None
                if sandbox is None:
                    sandbox = self._new()
                    self._all.append(sandbox)
            try:
                return sandbox.invoke(event, request_id)
            finally:
                with self._lock:
                    self._idle.append(sandbox)

        def kill(self):
            with self._lock:
                for sandbox in self._all:
                    sandbox.kill()
                self._idle, self._all = [], []

    runtime.Worker = Sandboxes


def order_stack_events():
    """MiniStack stamps stack events with whole seconds; the last of a quick deployment then does not sort as the newest.

    osls looks at the newest first and would wait for ever for the end it never sees.
    """
    from ministack.services.cloudformation import stacks

    last = [0]

    def now():
        last[0] = max(time.time_ns() // 1000, last[0] + 1)
        seconds, micros = divmod(last[0], 1_000_000)
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{micros:06d}Z"

    stacks.now_iso = now


# By name, the contents of the SSM documents that stacks have made.
DOCUMENTS = {}


def know_more_resources():
    """Types of our template that MiniStack 1.4.21 does not know: they are accepted, and do nothing here.

    A document's content is kept for whoever plays the nodes' SSM agents.
    """
    from ministack.services.cloudformation import provisioners

    def create(logical_id, props, stack_name):
        name = props.get("ArchiveName") or props.get("Name") or f"{stack_name}-{logical_id}"
        return name, {"Arn": f"arn:aws:local::{logical_id}:{name}"}

    def create_document(logical_id, props, stack_name):
        name, attributes = create(logical_id, props, stack_name)
        DOCUMENTS[name] = props["Content"]
        return name, attributes

    for kind, made in (("AWS::Events::Archive", create), ("AWS::SSM::Document", create_document)):
        provisioners._RESOURCE_HANDLERS.setdefault(kind, {"create": made, "delete": lambda _id, _props: None})


def make_workflows_faithful():
    """Three places where MiniStack 1.4.21 differs from Step Functions in a way that our state machines would feel.

    A Fail state takes its error and cause from the data (ErrorPath, CausePath); MiniStack reads the fixed ones only. SQS
    answers with a list of messages, also when it is one. And SSM knows SendCommand: here the command goes to whoever plays
    the nodes' agents, as a POST to VIPSHIFT_LAB_SSM of the request with the document's content beside it.
    """
    import inspect
    import urllib.error
    import urllib.request

    from ministack.core.responses import error_response_json, json_response
    from ministack.services import ssm
    from ministack.services import stepfunctions as states

    fixed = 'state_def.get("Error", "States.Fail"),\n                    state_def.get("Cause", ""))'
    by_path = (
        '_resolve_path(state_def["ErrorPath"], current_input) if "ErrorPath" in state_def'
        ' else state_def.get("Error", "States.Fail"),'
        ' _resolve_path(state_def["CausePath"], current_input) if "CausePath" in state_def'
        ' else state_def.get("Cause", ""))'
    )
    exec(replace_once(inspect.getsource(states._run_execution), fixed, by_path), states.__dict__)

    states._AWS_SDK_SERVICE_MAP["sqs"] = {"target_prefix": "AmazonSQS", "protocol": "json"}
    send_json = states._dispatch_aws_sdk_json

    def without_waiting(service_info, service_name, action, data):
        # A workflow's thread has no event loop to wait in.
        if service_name == "sqs" and "WaitTimeSeconds" in data:
            data = {**data, "WaitTimeSeconds": 0}
        return send_json(service_info, service_name, action, data)

    states._dispatch_aws_sdk_json = without_waiting

    known = ssm.handle_request

    async def handle_request(method, path, headers, body, query_params):
        if not headers.get("x-amz-target", "").endswith(".SendCommand"):
            return await known(method, path, headers, body, query_params)
        nodes = os.environ.get("VIPSHIFT_LAB_SSM")
        if nodes is None:
            return error_response_json("InvalidInstanceId", "no node of this lab runs an SSM agent", 400)
        asked = json.loads(body)
        data = json.dumps({**asked, "Content": DOCUMENTS.get(asked["DocumentName"])}).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(nodes, data=data, method="POST"), timeout=5) as reply:
                return json_response(json.loads(reply.read()))
        except urllib.error.HTTPError as error:
            refused = json.loads(error.read() or b"{}")
            code = refused.get("code", "InvalidInstanceId")
            return error_response_json(code, refused.get("message", "the instance is not in a valid state"), 400)
        except OSError as error:
            return error_response_json("InvalidInstanceId", f"the instance is not in a valid state: {error}", 400)

    ssm.handle_request = handle_request


def make_asynchronous_calls_faithful():
    """MiniStack 1.4.21 tries an event of EventBridge once and forgets it; Lambda tries again after one and two minutes.

    What is too old by then, or failed for the last time, goes to the function's OnFailure destination.
    """
    from ministack.services import eventbridge
    from ministack.services import lambda_svc as functions

    functions._LAMBDA_ASYNC_RETRY_BASE_SECONDS = 60
    functions._LAMBDA_ASYNC_RETRY_MAX_SECONDS = 120

    def dispatch(arn, payload):
        func, config, name = functions._get_func_record_for_ref(arn)
        if not func or not config:
            eventbridge.logger.warning("EventBridge to Lambda: function %s not found", name)
            return
        functions.invoke_async_with_retry(functions._execution_record_for_config(func, config), json.loads(payload))

    eventbridge._dispatch_to_lambda = dispatch


def serve_ministack(sock):
    import asyncio

    make_lambda_faithful()
    order_stack_events()
    know_more_resources()
    make_workflows_faithful()
    make_asynchronous_calls_faithful()
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
    # From here on stdout is the log as well: the parent reads one line and no more.
    os.dup2(2, 1)
    try:
        serve_ministack(sock) if service == "ministack" else serve_moto(sock, port)
    except BaseException:
        traceback.print_exc()
    sys.stderr.flush()
    end_of_life(scratch)


if __name__ == "__main__":
    main()
