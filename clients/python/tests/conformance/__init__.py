"""Runs the cases of tests/conformance; its README is the specification."""
