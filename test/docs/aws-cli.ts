// What the AWS CLI would understand: services, operations and options by the API models of botocore, which the CLI itself is made from.
//
// Limit: values are not looked at. What the CLI adds to the models (`wait`, `s3 cp`, `cloudformation deploy`, options of its own) is in the
// lists of the program below.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { ensurePython } from '../../lab/aws/python.ts';

const PROGRAM = `
import json, sys
import botocore.session
from botocore import xform_name
session = botocore.session.get_session()
known = set(session.get_available_services())
everywhere = {"output", "query", "region", "profile", "endpoint-url", "no-cli-pager", "debug", "max-items", "page-size", "cli-input-json"}
added = {
    ("ec2", "authorize-security-group-ingress"): {"protocol", "port", "cidr", "source-group"},
    ("ec2", "authorize-security-group-egress"): {"protocol", "port", "cidr", "source-group"},
}
custom = {("s3", "cp"), ("cloudformation", "deploy"), ("logs", "tail")}
def problem(words):
    service, operation, *options = words
    if (service, operation) in custom:
        return None
    if service not in known:
        return "no service " + service
    model = session.get_service_model(service)
    if operation == "wait":
        names = {xform_name(n, "-") for n in session.get_waiter_model(service).waiter_names}
        return None if options and options[0] in names else "nothing to wait for: " + " ".join(options[:1])
    operations = {xform_name(n, "-"): n for n in model.operation_names}
    if operation not in operations:
        return service + " has no " + operation
    shape = model.operation_model(operations[operation]).input_shape
    members = {xform_name(n, "-") for n in (shape.members if shape else {})}
    allowed = everywhere | members | {"no-" + m for m in members} | added.get((service, operation), set())
    unknown = [o for o in options if o.startswith("--") and o[2:].split("=")[0] not in allowed]
    return operation + " has no " + ", ".join(unknown) if unknown else None
print(json.dumps([problem(words) for words in json.load(sys.stdin)]))
`;

/** One for each command, as words without `aws`: what is wrong with it, or null. */
export async function awsProblems(
  commands: readonly (readonly string[])[],
): Promise<readonly (string | null)[]> {
  const python = await ensurePython();
  const running = promisify(execFile)(python, ['-c', PROGRAM]);
  running.child.stdin!.end(JSON.stringify(commands));
  return JSON.parse((await running).stdout) as readonly (string | null)[];
}
