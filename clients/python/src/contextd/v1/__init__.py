"""The generated messages and stubs of ``contextd.v1``, for what the client does not wrap."""
