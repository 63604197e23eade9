"""Stand-in of the Terraform provider: its schema, and plans of new resources."""

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
TYPES = {"string": '"string"', "number": '"number"', "bool": '"bool"', "list": '["list","string"]'}
NESTING = {"list": pb.Schema.NestedBlock.LIST, "set": pb.Schema.NestedBlock.SET}
SOURCE = "registry.terraform.io/aliyun/alicloud"


def attributes(table):
    texts = {"id": "string computed", **table}
    return {name: said.split() for name, said in texts.items() if isinstance(said, str) and name != "block"}


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


class Provider(rpc.ProviderServicer):
    def GetMetadata(self, request, context):  # noqa: N802
        return pb.GetMetadata.Response()

    def GetProviderSchema(self, request, context):  # noqa: N802
        resources, data = (
            {name: pb.Schema(block=block_of(one)) for name, one in SCHEMA[of].items()}
            for of in ("resource", "data")
        )
        provider = pb.Schema(block=block_of({"region": "string"}))
        return pb.GetProviderSchema.Response(
            provider=provider, resource_schemas=resources, data_source_schemas=data
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
        state = to_dynamic_value(json.loads(request.raw_state.json))
        return pb.UpgradeResourceState.Response(upgraded_state=state)

    def ReadResource(self, request, context):  # noqa: N802
        return pb.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request, context):  # noqa: N802
        after = read_dynamic_value(request.proposed_new_state)
        for name, (_, *flags) in attributes(SCHEMA["resource"][request.type_name]).items():
            if {"computed", "only"} & {*flags} and after[name] is None:
                after[name] = Unknown
        return pb.PlanResourceChange.Response(planned_state=to_dynamic_value(after))

    def ReadDataSource(self, request, context):  # noqa: N802
        return pb.ReadDataSource.Response(state=to_dynamic_value({"id": ACCOUNT}))

    def StopProvider(self, request, context):  # noqa: N802
        return pb.StopProvider.Response()


def serve(folder):
    """A server until the test ends, and what Terraform must be told to find it."""
    server = grpc.server(ThreadPoolExecutor(4))
    rpc.add_ProviderServicer_to_server(Provider(), server)
    address = str(folder / "provider")
    server.add_insecure_port(f"unix://{address}")
    server.start()
    told = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True}
    told["Addr"] = {"Network": "unix", "String": address}
    return server, {"TF_REATTACH_PROVIDERS": json.dumps({SOURCE: told})}
