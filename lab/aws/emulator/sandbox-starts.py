"""A function's sandbox that cannot even start is a fault of this machine, and is said at once.

MiniStack 1.4.21 logs it without the reason (two threads read the worker's stderr) and tries again for minutes, while the test
waits for an outcome that cannot come. Here the reason goes to the program that started the emulator, which prints it.
Used by emulator.py alone.
"""

import json
import os

STDERR_TIMEOUT_S = 5


def apply():
    from ministack.core import lambda_runtime as runtime

    Sandbox = sandbox_class(runtime)
    spawn = Sandbox._spawn

    def loud_spawn(self):
        try:
            spawn(self)
        except RuntimeError as error:
            reason = f"{error}{rest_of_stderr(self)}"
            say({"failed": f"the sandbox of {self.func_name} did not start: {reason}"})
            raise RuntimeError(reason) from error

    Sandbox._spawn = loud_spawn


def sandbox_class(runtime):
    # function-fixes has put its pool of sandboxes in the place of MiniStack's class.
    return runtime.Worker.Sandbox


def rest_of_stderr(sandbox):
    thread = getattr(sandbox, "_stderr_thread", None)
    if thread is None:
        return ""
    thread.join(STDERR_TIMEOUT_S)
    return sandbox._drain_stderr()


def say(message):
    os.write(int(os.environ["VIPSHIFT_LAB_PARENT"]), (json.dumps(message) + "\n").encode())
