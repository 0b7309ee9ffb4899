"""Fuzzing of the decoders and of the way from a transaction to its event: ``./build.sh fuzz [SECONDS]``.

The checks need no fuzzer: the ordinary tests drive them with hypothesis, ``python -m fuzz.run`` with atheris.
"""
