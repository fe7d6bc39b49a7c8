"""Where MiniStack 1.4.21 differs from AWS in a way that our tests would feel: each difference is fixed in place, in memory.

Used by emulator.py alone. What has moved in a newer MiniStack fails the start instead of being skipped.
"""

import json
import os


def replace_once(text, old, new):
    if text.count(old) != 1:
        raise SystemExit(f"MiniStack changed: found {text.count(old)} of {old!r} in its text, expected one")
    return text.replace(old, new)


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


def apply():
    know_more_resources()
    make_workflows_faithful()
    make_rules_faithful()
