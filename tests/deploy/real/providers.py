"""Stand-ins of both Terraform providers: their schema, and a cloud that accepts every plan."""

import json
import os
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc
from tf.types import Unknown
from tf.utils import read_dynamic_value, to_dynamic_value

ACCOUNT = "1234567890123456"
SCHEMA = tomllib.loads(Path(__file__).with_name("schema.toml").read_text("utf-8"))
TYPES = {
    "string": '"string"',
    "number": '"number"',
    "bool": '"bool"',
    "map": '["map","string"]',
    "list": '["list","string"]',
    "urls": '["list",["object",{"url_internet":"string","url_intranet":"string"}]]',
}
NESTING = {"list": pb.Schema.NestedBlock.LIST, "set": pb.Schema.NestedBlock.SET}
# The SDK that both are made with gives each resource one.
ID = {"id": "string computed"}
SOURCES = {
    "alicloud": "registry.terraform.io/aliyun/alicloud",
    "archive": "registry.terraform.io/hashicorp/archive",
}


def attributes(table):
    return {name: said.split() for name, said in table.items() if isinstance(said, str) and name != "block"}


def block_of(table):
    return pb.Schema.Block(
        attributes=[
            pb.Schema.Attribute(
                name=name,
                type=TYPES[kind].encode(),
                required="required" in flags,
                optional=not {"required", "only"} & {*flags},
                computed=bool({"computed", "only"} & {*flags}),
            )
            for name, (kind, *flags) in attributes(table).items()
        ],
        block_types=[
            pb.Schema.NestedBlock(type_name=name, block=block_of(inner), nesting=NESTING[inner["block"]])
            for name, inner in table.items()
            if isinstance(inner, dict)
        ],
    )


URLS = [{"url_internet": "https://made-up.fcapp.run", "url_intranet": "https://made-up-vpc.fcapp.run"}]
MADE_UP = {"string": "made-up", "number": 1, "bool": False, "urls": URLS}


def made_up(of, name, kind, state):
    """What the cloud says of what nobody has given."""
    if name == "arn":
        return f"acs:ram::{ACCOUNT}:role/{state['role_name']}"
    return ACCOUNT if of == "alicloud_account" else MADE_UP[kind]


class Provider(rpc.ProviderServicer):
    """One of them; ``prefix`` is what its resources begin with."""

    def __init__(self, prefix):
        self.resources, self.data = (
            {name: {**ID, **table} for name, table in SCHEMA[of].items() if name.startswith(prefix)}
            for of in ("resource", "data")
        )

    def GetMetadata(self, request, context):  # noqa: N802
        return pb.GetMetadata.Response()

    def GetProviderSchema(self, request, context):  # noqa: N802
        return pb.GetProviderSchema.Response(
            provider=pb.Schema(block=block_of({"region": "string"})),
            resource_schemas={name: pb.Schema(block=block_of(one)) for name, one in self.resources.items()},
            data_source_schemas={name: pb.Schema(block=block_of(one)) for name, one in self.data.items()},
        )

    def ValidateProviderConfig(self, request, context):  # noqa: N802
        return pb.ValidateProviderConfig.Response()

    def ConfigureProvider(self, request, context):  # noqa: N802
        return pb.ConfigureProvider.Response()

    def ValidateResourceConfig(self, request, context):  # noqa: N802
        return pb.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request, context):  # noqa: N802
        return pb.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(self, request, context):  # noqa: N802
        return pb.UpgradeResourceState.Response(upgraded_state=pb.DynamicValue(json=request.raw_state.json))

    def ReadResource(self, request, context):  # noqa: N802
        return pb.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request, context):  # noqa: N802
        before, after = (
            read_dynamic_value(request.prior_state),
            read_dynamic_value(request.proposed_new_state),
        )
        told = attributes(self.resources[request.type_name])
        if after is None:
            return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        anew = [
            name
            for name, flags in told.items()
            if before is not None and "new" in flags and before[name] != after[name]
        ]
        if before is None or anew:
            for name, flags in told.items():
                if {"computed", "only"} & {*flags} and (after[name] is None or anew and "only" in flags):
                    after[name] = Unknown
        return pb.PlanResourceChange.Response(
            planned_state=to_dynamic_value(after),
            requires_replace=[
                pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=name)]) for name in anew
            ],
        )

    def ApplyResourceChange(self, request, context):  # noqa: N802
        state = read_dynamic_value(request.planned_state)
        if state is None:
            return pb.ApplyResourceChange.Response(new_state=request.planned_state)
        for name, (kind, *_) in attributes(self.resources[request.type_name]).items():
            if state[name] is Unknown:
                state[name] = made_up(request.type_name, name, kind, state)
        return pb.ApplyResourceChange.Response(new_state=to_dynamic_value(state))

    def ReadDataSource(self, request, context):  # noqa: N802
        state = read_dynamic_value(request.config)
        for name, (kind, *flags) in attributes(self.data[request.type_name]).items():
            if state[name] is None and {"computed", "only"} & {*flags}:
                state[name] = made_up(request.type_name, name, kind, state)
        return pb.ReadDataSource.Response(state=to_dynamic_value(state))

    def StopProvider(self, request, context):  # noqa: N802
        return pb.StopProvider.Response()


def serve(folder):
    """Both, until the test ends; what Terraform must be told to find them."""
    told, servers = {}, []
    for prefix, source in SOURCES.items():
        server = grpc.server(ThreadPoolExecutor(4))
        rpc.add_ProviderServicer_to_server(Provider(prefix), server)
        address = str(folder / prefix)
        server.add_insecure_port(f"unix://{address}")
        server.start()
        servers.append(server)
        told[source] = {
            "Protocol": "grpc",
            "ProtocolVersion": 6,
            "Pid": os.getpid(),
            "Test": True,
            "Addr": {"Network": "unix", "String": address},
        }
    return servers, {"TF_REATTACH_PROVIDERS": json.dumps(told)}
