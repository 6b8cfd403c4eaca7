"""Asks a node over gRPC with Google's client and the messages that Envoy's own definitions make.

Reads a JSON list of questions from standard input and writes a JSON list of answers:

    ask.py --address HOST:PORT --authority CA.pem --name NAME

A question is {"source", "method", "path", "host", "scheme", "headers", "extensions"} for a check, {"health": SERVICE},
or {"raw": HEX, "to": METHOD}. An answer is the message as JSON, or {"code": NAME} of a call that failed.
"""

import argparse
import json
import sys

import grpc
from envoy.service.auth.v3 import attribute_context_pb2, external_auth_pb2, external_auth_pb2_grpc
from google.protobuf.json_format import MessageToDict

# field 1, bytes; field 1, number: the messages of the health check are no more than that.
SERVING = {b"\x08\x01": "SERVING", b"\x08\x02": "NOT_SERVING"}


def check(channel, question):
    request = external_auth_pb2.CheckRequest()
    source = request.attributes.source.address.socket_address
    source.address, source.port_value = question["source"], 4711
    http = request.attributes.request.http
    for name in ("method", "path", "host", "scheme"):
        setattr(http, name, question[name])
    http.protocol = "HTTP/2"
    http.headers.update({":path": question["path"], ":authority": question["host"]})
    http.headers.update(question.get("headers", {}))
    request.attributes.context_extensions.update(question.get("extensions", {}))
    assert isinstance(request.attributes, attribute_context_pb2.AttributeContext)
    stub = external_auth_pb2_grpc.AuthorizationStub(channel)
    return MessageToDict(stub.Check(request, timeout=20))


def raw(channel, method, message):
    call = channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)
    return call(message, timeout=20)


def answer(channel, question):
    try:
        if "health" in question:
            service = question["health"].encode()
            message = b"\x0a" + bytes([len(service)]) + service
            return {"health": SERVING[raw(channel, "/grpc.health.v1.Health/Check", message)]}
        if "raw" in question:
            return {"raw": raw(channel, question["to"], bytes.fromhex(question["raw"])).hex()}
        return check(channel, question)
    except grpc.RpcError as error:
        return {"code": error.code().name}


def main():
    arguments = argparse.ArgumentParser()
    for name in ("--address", "--authority", "--name"):
        arguments.add_argument(name, required=True)
    given = arguments.parse_args()
    with open(given.authority, "rb") as file:
        credentials = grpc.ssl_channel_credentials(file.read())
    options = [("grpc.ssl_target_name_override", given.name)]
    with grpc.secure_channel(given.address, credentials, options) as channel:
        json.dump([answer(channel, question) for question in json.load(sys.stdin)], sys.stdout)


main()
