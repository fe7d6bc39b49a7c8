"""What moto 5.2.5 works out again for each request, though it depends on moto's code alone: here it is worked out once.

Used by emulator.py alone. What has moved in a newer moto fails the start instead of being skipped.
"""

from functools import cache


def remember_actions():
    """The names of all methods of a service's class."""
    from moto.core import responses

    responses.method_names_from_class = cache(responses.method_names_from_class)


def remember_modules():
    """The folders of moto, looked for on the disk."""
    from moto import backends

    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules


def remember_keys():
    """The names under which an object may have what is at one place of an answer."""
    from moto.core import serialize

    def remembering(find):
        known = {}

        def get_possible_keys(self, context):
            asked = (type(self), tuple(self.alias_providers), type(context.obj), context.shape, context.key)
            if asked not in known:
                known[asked] = tuple(find(self, context))
            return known[asked]

        return get_possible_keys

    for picker in (serialize.AttributePicker, serialize.XFormedAttributePicker):
        picker.get_possible_keys = remembering(picker.__dict__["get_possible_keys"])


def apply():
    remember_actions()
    remember_modules()
    remember_keys()
