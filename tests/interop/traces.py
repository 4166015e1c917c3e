"""Takes traces as an OpenTelemetry collector does, and says what came.

Arguments: nothing, or a certificate and its key (PEM) to speak TLS with. Standard output: the port, then
each request as one line of JSON, as OTLP names its parts; ids are in base64.
"""

import json
import pathlib
import sys
from concurrent import futures

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


def say(what):
    print(json.dumps(what), flush=True)


class Receiver(trace_service_pb2_grpc.TraceServiceServicer):
    def Export(self, request, context):
        say(MessageToDict(request))
        return trace_service_pb2.ExportTraceServiceResponse()


def main():
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Receiver(), server)
    if len(sys.argv) > 1:
        certificate, key = (pathlib.Path(name).read_bytes() for name in sys.argv[1:])
        secure = grpc.ssl_server_credentials([(key, certificate)])
        port = server.add_secure_port("127.0.0.1:0", secure)
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    say(port)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
