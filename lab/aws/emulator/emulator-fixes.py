"""Where MiniStack 1.4.21 differs from AWS in a way that our tests would feel: each difference is fixed in place, in memory.

Used by emulator.py alone. What has moved in a newer MiniStack fails the start instead of being skipped.
"""

import json
import os
import queue
import threading
import time


def replace_once(text, old, new):
    if text.count(old) != 1:
        raise SystemExit(f"MiniStack changed: found {text.count(old)} of {old!r} in its text, expected one")
    return text.replace(old, new)


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


# By name, the contents of the SSM documents that stacks have made.
DOCUMENTS = {}


def know_more_resources():
    """Types of our template that MiniStack 1.4.21 does not know: they are accepted, and do nothing here.

    A document's content is kept for the program that emulates the nodes' SSM agents.
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
    answers with a list of messages, also when it is one. And SSM knows SendCommand: here the command goes to what emulates
    the nodes' agents, as a POST to VIPSHIFT_LAB_SSM of the request together with the document's content.
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

    def refusal(code, message):
        # Step Functions names an error of a service as the Java SDK's class for it: with Exception at its end.
        return error_response_json(f"{code}Exception", message, 400)

    async def handle_request(method, path, headers, body, query_params):
        if not headers.get("x-amz-target", "").endswith(".SendCommand"):
            return await known(method, path, headers, body, query_params)
        nodes = os.environ.get("VIPSHIFT_LAB_SSM")
        if nodes is None:
            return refusal("InvalidInstanceId", "no node of this lab runs an SSM agent")
        asked = json.loads(body)
        data = json.dumps({**asked, "Content": DOCUMENTS.get(asked["DocumentName"])}).encode()
        try:
            with urllib.request.urlopen(urllib.request.Request(nodes, data=data, method="POST"), timeout=5) as reply:
                return json_response(json.loads(reply.read()))
        except urllib.error.HTTPError as error:
            refused = json.loads(error.read() or b"{}")
            message = refused.get("message", "the instance is not in a valid state")
            return refusal(refused.get("code", "InvalidInstanceId"), message)
        except OSError as error:
            return refusal("InvalidInstanceId", f"the instance is not in a valid state: {error}")

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


def make_rules_faithful():
    """MiniStack 1.4.21 gives a rule's event to any function, and forgets what finds none.

    EventBridge needs the function's own permission for the rule. Without it, or without the function, the event goes to the
    dead-letter queue of the rule's target at once, if the queue's policy lets the rule send.
    """
    from fnmatch import fnmatchcase

    from ministack.core.arn import parse_arn
    from ministack.services import eventbridge, sqs
    from ministack.services import lambda_svc as functions

    def allows(policy, rule):
        sources = [
            source
            for statement in policy.get("Statement", [])
            if statement.get("Effect") == "Allow" and "events.amazonaws.com" in json.dumps(statement.get("Principal"))
            for keys in statement.get("Condition", {}).values()
            for key, source in keys.items()
            if key.lower() == "aws:sourcearn"
        ]
        wanted = [one for source in sources for one in (source if isinstance(source, list) else [source])]
        return any(fnmatchcase(rule["Arn"], one) for one in wanted)

    def refusal(arn, rule):
        if parse_arn(arn).service != "lambda":
            return None
        func, _config, name = functions._get_func_record_for_ref(arn)
        if not func:
            return "RESOURCE_NOT_FOUND", f"the function {name} does not exist"
        if not allows(func["policy"], rule):
            return "NO_PERMISSIONS", f"the function {name} has no statement for {rule['Arn']}"
        return None

    deliver = eventbridge._invoke_target

    def invoke_target(target, event, rule, view=None):
        refused = refusal(target["Arn"], rule)
        if refused is None:
            return deliver(target, event, rule, view)
        dead_letters = (target.get("DeadLetterConfig") or {}).get("Arn")
        queue = sqs._queue_by_arn(dead_letters) if dead_letters else None
        policy = json.loads(queue["attributes"].get("Policy") or "{}") if queue else {}
        if not allows(policy, rule):
            eventbridge.logger.warning("EventBridge: %s, and no dead-letter queue takes it", refused[1])
            return None
        view = view or eventbridge._pattern_event_view(event)
        eventbridge._dispatch_to_sqs(parse_arn(dead_letters), json.dumps(view.event_with_detail()))
        values = {"RULE_ARN": rule["Arn"], "TARGET_ARN": target["Arn"], "ERROR_CODE": refused[0], "ERROR_MESSAGE": refused[1]}
        queue["messages"][-1]["message_attributes"] = {
            name: {"DataType": "String", "StringValue": text} for name, text in values.items()
        }
        return None

    eventbridge._invoke_target = invoke_target


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


def apply():
    keep_every_log_line()
    make_lambda_faithful()
    know_more_resources()
    make_workflows_faithful()
    make_asynchronous_calls_faithful()
    make_rules_faithful()
    keep_permissions_at_updates()
