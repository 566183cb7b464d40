"""Rules for the C code generated from .proto files."""

def pb_c_library(name, srcs, **kwargs):
    """Generates foo.pb-c.{c,h} for every foo.proto and compiles them.

    Args:
      name: the name of the cc_library.
      srcs: the .proto files, in the package that holds them.
      **kwargs: passed on to the cc_library.
    """
    sources = [src.replace(".proto", ".pb-c.c") for src in srcs]
    headers = [src.replace(".proto", ".pb-c.h") for src in srcs]
    native.genrule(
        name = name + "_gen",
        srcs = srcs,
        outs = sources + headers,
        cmd = "protoc --proto_path=proto --proto_path=/usr/include --c_out=$(BINDIR)/proto $(SRCS)",
    )
    native.cc_library(
        name = name,
        srcs = sources,
        hdrs = headers,
        linkopts = ["-lprotobuf-c"],
        strip_include_prefix = "/proto",
        **kwargs
    )
