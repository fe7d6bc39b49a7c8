"""Where the stacks of MiniStack 1.4.21 differ from CloudFormation's: each difference is fixed in place, in memory.

Used by emulator.py alone. What has moved in a newer MiniStack fails the start instead of being skipped.
"""

import importlib
import inspect
import re
import time


def order_stack_events():
    """MiniStack stamps stack events with whole seconds; the last of a quick deployment then does not sort as the newest.

    osls reads the newest first and would wait for ever for the end it never sees.
    """
    from ministack.services.cloudformation import stacks

    last = [0]

    def now():
        last[0] = max(time.time_ns() // 1000, last[0] + 1)
        seconds, micros = divmod(last[0], 1_000_000)
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{micros:06d}Z"

    stacks.now_iso = now


def admit_failed_deletions():
    """MiniStack 1.4.21 calls a stack deleted, or rolled back, when something of it could not be deleted, and forgets that.

    CloudFormation calls it failed, leaves what the failed resource depends on, and goes on where it is asked again.
    """
    from ministack.services.cloudformation import changesets, engine, handlers, stacks

    replace_once = importlib.import_module("emulator-fixes").replace_once

    def patched(work, *replacements):
        source = inspect.getsource(work)
        for old, new in replacements:
            source = replace_once(source, old, new)
        exec(source, stacks.__dict__)
        return stacks.__dict__[work.__name__]

    changesets._deploy_stack_async = handlers._deploy_stack_async = patched(
        stacks._deploy_stack_async,
        ('"DELETE_FAILED", str(del_exc), pid)\n', '"DELETE_FAILED", str(del_exc), pid)\n                    continue\n'),
        (
            'stack["StackStatus"] = "ROLLBACK_COMPLETE"',
            'stack["StackStatus"] = "ROLLBACK_FAILED" if provisioned_resources else "ROLLBACK_COMPLETE"',
        ),
    )
    stacks._needs = lambda resources, logical_id: engine._extract_deps(resources.get(logical_id, {}), set(resources))
    loop = "    for logical_id in reversed(ordered):\n"
    ended = '    stack["StackStatus"] = "DELETE_COMPLETE"\n'
    handlers._delete_stack_async = patched(
        stacks._delete_stack_async,
        (
            loop,
            "    needed, failed = set(), False\n"
            + loop
            + "        if logical_id in needed:\n"
            + "            needed |= _needs(res_defs, logical_id)\n"
            + "            continue\n",
        ),
        (
            '"DELETE_FAILED", str(exc), pid)\n',
            '"DELETE_FAILED", str(exc), pid)\n'
            + "            needed |= _needs(res_defs, logical_id)\n"
            + "            failed = True\n",
        ),
        (ended, '    if failed:\n        stack["StackStatus"] = "DELETE_FAILED"\n        return\n' + ended),
    )


def keep_versions_of_policies():
    """MiniStack 1.4.21 keeps the document of a policy that a stack makes where its own IAM does not look for it.

    And Fn::Sub makes !aws:userid of ${!aws:userid}, by which CloudFormation leaves a variable to IAM.
    """
    from ministack.services import iam
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS["AWS::IAM::ManagedPolicy"]
    make = handlers["create"]

    def create(logical_id, props, stack_name):
        arn, attributes = make(logical_id, props, stack_name)
        policy = iam._policies[arn]
        [version] = policy.pop("PolicyVersions")
        version["Document"] = re.sub(r"!(aws:\w+)", r"${\1}", version["Document"])
        policy["Versions"] = {version["VersionId"]: {**version, "CreateDate": policy["CreateDate"]}}
        return arn, attributes

    handlers["create"] = create


def apply():
    order_stack_events()
    admit_failed_deletions()
    keep_versions_of_policies()
