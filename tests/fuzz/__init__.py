"""Bytes that nobody meant, for everything here that reads what others send: `make fuzz`, and in short in `make test`.

targets/   one module a reader: `read(data)` raises nothing but its REFUSES, and asserts what an accepted input must be
corpus/    what mutation starts from, made from our own samples and keys (`python -m tests.fuzz.corpora`)
judge      what counts as a crash: another exception, more than a second, more than its memory
mutate     mutation without a guide; guide: with coverage (atheris), where it is installed
"""
