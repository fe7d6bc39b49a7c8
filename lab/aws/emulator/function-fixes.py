"""Where the functions of MiniStack 1.4.21 differ from Lambda's: each difference is fixed in place, in memory.

Used by emulator.py alone. What has moved in a newer MiniStack fails the start instead of being skipped.
"""

import importlib
import json
import queue
import threading
import time

replace_once = importlib.import_module("emulator-fixes").replace_once


END_OF_LOG = "-- end of the invocation's log --"
LOG_TIMEOUT_S = 10


def keep_every_log_line():
    """MiniStack 1.4.21 takes an invocation's log as ended when nothing has come for 5 ms, or 50 ms at its beginning.

    What comes later, on a busy machine, is logged with the sandbox's next invocation, or never where there is none. Here
    the Node worker writes a mark behind its log before it answers, and the log is read up to that.
    """
    from ministack.core import lambda_runtime as runtime

    runtime._NODEJS_WORKER_SCRIPT = replace_once(
        runtime._NODEJS_WORKER_SCRIPT,
        "const _realStdoutWrite = process.stdout.write.bind(process.stdout);",
        "const _answer = process.stdout.write.bind(process.stdout);\n"
        "const _realStdoutWrite = (text) => {\n"
        f"  if (!text.startsWith('{{\"status\":\"ready\"')) process.stderr.write({json.dumps(END_OF_LOG)} + '\\n');\n"
        "  return _answer(text);\n"
        "};",
    )

    def drain(self):
        lines, end = [], time.monotonic() + LOG_TIMEOUT_S
        while time.monotonic() < end:
            try:
                line = self._stderr_queue.get(timeout=0.05)
            except queue.Empty:
                # A worker that died has written all that it will.
                if not self._stderr_thread.is_alive():
                    break
                continue
            if line == END_OF_LOG:
                break
            lines.append(line)
        return "\n".join(lines)

    runtime.Worker._drain_stderr_bounded = drain


def make_lambda_faithful():
    """Two places where MiniStack 1.4.21 differs from Lambda in a way that our tests would feel.

    It runs the invocations of one function one after another; Lambda runs them in parallel, each in a
    sandbox that serves one at a time. And the context's remaining time is a constant.
    """
    from ministack.core import lambda_runtime as runtime

    runtime._NODEJS_WORKER_SCRIPT = replace_once(
        runtime._NODEJS_WORKER_SCRIPT,
        "getRemainingTimeInMillis: () => 300000,",
        "getRemainingTimeInMillis: ((endMs) => () => Math.max(0, endMs - Date.now()))"
        '(Date.now() + 1000 * Number(process.env._LAMBDA_TIMEOUT || "3")),',
    )
    class Sandboxes:
        Sandbox = runtime.Worker

        def __init__(self, func_name, config, code_zip):
            self._new = lambda: self.Sandbox(func_name, config, code_zip)
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


def respect_reserved_concurrency():
    """MiniStack 1.4.21 runs a function of Node however many of it may run; Lambda throttles beyond that, and 0 is none."""
    from ministack.services import lambda_svc as functions

    execute, running, lock = functions._execute_function, {}, threading.Lock()

    def throttled(func, event):
        name = (func.get("config") or func)["FunctionName"]
        key = (functions.get_account_id(), name)
        most = (functions._functions.get(name) or {}).get("concurrency")
        with lock:
            if most is not None and running.get(key, 0) >= most:
                return functions._throttle_response(
                    "ReservedFunctionConcurrentInvocationLimitExceeded", f"Rate Exceeded: {name} may run {most} times at once"
                )
            running[key] = running.get(key, 0) + 1
        try:
            return execute(func, event)
        finally:
            with lock:
                running[key] -= 1

    functions._execute_function = throttled


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


def keep_permissions_at_updates():
    """MiniStack 1.4.21 recreates a function at each update of its stack, without the statements of its policy.

    CloudFormation changes the function in place; a permission that has not changed is not made again.
    """
    from ministack.services import lambda_svc as functions
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    make = handlers["create"]

    def create(logical_id, props, stack_name):
        was = functions._functions.get(props.get("FunctionName", ""))
        answer = make(logical_id, props, stack_name)
        is_now = functions._functions.get(props.get("FunctionName", ""))
        if was and is_now:
            is_now["policy"] = was["policy"]
        return answer

    handlers["create"] = create


def apply():
    keep_every_log_line()
    make_lambda_faithful()
    respect_reserved_concurrency()
    make_asynchronous_calls_faithful()
    keep_permissions_at_updates()
