# SPDX-License-Identifier: Apache-2.0
"""Bytes that no compression, hole or repetition can make smaller."""

import hashlib
import os
import random

_BLOCK = 1 << 20


def pseudo_random(size):
    return random.Random(size).randbytes(size)


def write_file(path, size):
    """A file of that many such bytes; its SHA-256 in hex.

    Each block is one random block with its number in front, which is quick
    to make and different everywhere.
    """
    digest = hashlib.sha256()
    block = random.Random(0).randbytes(_BLOCK - 8)
    with open(path, "wb") as f:
        for n in range(size // _BLOCK):
            data = n.to_bytes(8, "big") + block
            digest.update(data)
            f.write(data)
        f.flush()
        os.fsync(f.fileno())
    return digest.hexdigest()


def sha256_of(stream):
    digest = hashlib.sha256()
    while data := stream.read(_BLOCK):
        digest.update(data)
    return digest.hexdigest()
