"""A local cloud whose function is the real one, for what a terminal asks of it."""

from function.app import Function
from function.context import Dependencies
from handler import serve
from local.cloud import LocalCloud
from local.fc.gateway import FcGateway


def start_cloud(stack, folder, caller_auth, more=None):
    """Its services end with the stack."""
    place = {}
    gateway = FcGateway(lambda event, context: serve(place["function"], event, context))
    stack.callback(gateway.stop)
    cloud = stack.enter_context(LocalCloud(gateway, folder, caller_auth, extra_settings=more))
    place["function"] = Function(Dependencies(cloud.environment()))
    gateway.start()
    return cloud
