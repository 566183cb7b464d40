"""Packs the scripts of seeds.txt into inputs of the target `requests`."""

import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, "seeds.txt")
PROTOS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "proto")

# As in script.h: where the methods of each service begin, and the other steps.
SERVICES = {"context_manager": 0, "tracker": 0xA0, "recovery": 0xC0}
REQUEST_OF_STEP = {
    "NextPage": "ListContextsRequest",
    "NextNames": "ListNamespacesRequest",
    "NextSessions": "ListSessionsRequest",
    "NextActivities": "ListActivitiesRequest",
    "NextFiles": "ListFilesRequest",
    "NextResources": "ListResourcesRequest",
    "NextPoints": "ListRecoveryPointsRequest",
}
STEPS = ("Advance", "HalfClose", "Leave", "Restart", "NextPage", "NextNames", "Split", "Small")
STEPS += ("NextSessions", "NextActivities", "NextFiles", "NextResources", "NextPoints")
FIRST_STEP = 0xE0


def read_methods():
    """Each method's name in a script, and the type of its request."""
    methods = {}
    for service, first in SERVICES.items():
        path = os.path.join(PROTOS, "contextd", "v1", service + ".proto")
        with open(path, encoding="utf-8") as file:
            found = re.findall(r"^  rpc (\w+)\((?:stream )?(\w+)\)", file.read(), re.MULTILINE)
        for index, (name, request) in enumerate(found):
            methods[name] = (first + index, request)
    return methods


def encode(request, text):
    command = ["protoc", "--proto_path=" + PROTOS, "--proto_path=/usr/include"]
    command += ["--encode=contextd.v1." + request]
    command += ["contextd/v1/%s.proto" % service for service in SERVICES]
    # It complains of text that is no UTF-8, which is there for that.
    done = subprocess.run(
        command, input=text.encode(), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return done.stdout


def pack_step(methods, line):
    name, _, text = line.partition(" ")
    if name in methods:
        number, request = methods[name]
        content = encode(request, text)
    else:
        number = FIRST_STEP + STEPS.index(name)
        if name in REQUEST_OF_STEP:
            content = encode(REQUEST_OF_STEP[name], text)
        else:
            content = int(text).to_bytes(3, "little") if text else b""
    return bytes([number]) + len(content).to_bytes(2, "little") + content


def pack_all(folder):
    """Writes an input into `folder` for each script."""
    methods = read_methods()
    os.makedirs(folder, exist_ok=True)
    with open(SCRIPTS, encoding="utf-8") as file:
        scripts = re.split(r"\n\n+", re.sub(r"^#.*\n", "", file.read(), flags=re.MULTILINE))
    for index, script in enumerate(filter(None, (each.strip() for each in scripts))):
        content = b"".join(pack_step(methods, line) for line in script.split("\n"))
        with open(os.path.join(folder, "seed-%d" % index), "wb") as file:
            file.write(content)
