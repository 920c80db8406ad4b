#!/usr/bin/python3
"""Writes files of CIFAR's python version, small ones, as seeds of the fuzzer and for the tests:
tests/fuzz/seeds/pickle/*. Run: /usr/bin/python3 tests/golden/cifar_python.py

python3_*: what Python 3 and its NumPy make of such a dictionary in protocol 2. python2_*: the same
dictionary as cPickle of Python 2 writes it, instruction by instruction, as in the published files.
Image k has label k + 3 (CIFAR-100: coarse k + 3, fine 90 + k), and its byte i is 11 k + i mod 251:
tests/unit/data_files.h writes the same records in the binary version."""
import os
import pickle
import pickletools
import struct

import numpy

IMAGES = 2
PIXELS = numpy.array([[(11 * k + i) % 251 for i in range(3072)] for k in range(IMAGES)], numpy.uint8)


class Python2:
    """cPickle.dump(value, file, 2): texts are strings, the memo counts from 1."""

    def __init__(self):
        self.out, self.memo = b"\x80\x02", 0

    def put(self):
        self.memo += 1
        self.out += b"q" + bytes([self.memo]) if self.memo < 256 else b"r" + struct.pack("<I", self.memo)

    def string(self, s):
        self.out += b"U" + bytes([len(s)]) + s if len(s) < 256 else b"T" + struct.pack("<i", len(s)) + s

    def integer(self, v):
        if 0 <= v < 256:
            self.out += b"K" + bytes([v])
        elif 0 <= v < 65536:
            self.out += b"M" + struct.pack("<H", v)
        else:
            self.out += b"J" + struct.pack("<i", v)

    def array(self, a):
        self.out += b"cnumpy.core.multiarray\n_reconstruct\n"
        self.put()
        self.out += b"cnumpy\nndarray\n"
        self.put()
        self.out += b"K\x00\x85U\x01b\x87R"
        self.put()
        self.out += b"(K\x01"
        for n in a.shape:
            self.integer(n)
        self.out += b"\x86cnumpy\ndtype\n"
        self.put()
        self.out += b"U\x02u1K\x00K\x01\x87R"
        self.put()
        self.out += b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        self.string(a.tobytes())
        self.out += b"tb"

    def value(self, v):
        if isinstance(v, str):
            self.string(v.encode())
            self.put()
        elif isinstance(v, int):
            self.integer(v)
        elif isinstance(v, list):
            self.out += b"]"
            self.put()
            self.out += b"("
            for item in v:
                self.value(item)
            self.out += b"e"
        else:
            self.array(v)

    def dictionary(self, d):
        self.out += b"}"
        self.put()
        self.out += b"("
        for key, v in d.items():
            self.value(key)
            self.value(v)
        return self.out + b"u."


FILES = ["%s_s_%06d.png" % (name, k) for k, name in enumerate(["leptodactylus_pentadactylus", "camion"])]
TEN = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
DICTIONARIES = {
    "cifar10": {"batch_label": "training batch 1 of 5", "labels": [k + 3 for k in range(IMAGES)],
                "data": PIXELS, "filenames": FILES},
    "cifar100": {"filenames": FILES, "batch_label": "training batch 1 of 1",
                 "fine_labels": [90 + k for k in range(IMAGES)],
                 "coarse_labels": [k + 3 for k in range(IMAGES)], "data": PIXELS},
    "meta10": {"num_cases_per_batch": 10000, "label_names": TEN, "num_vis": 3072},
    "meta100": {"fine_label_names": ["fine %d" % i for i in range(100)],
                "coarse_label_names": ["coarse %d" % i for i in range(20)]},
}


def plain(v):
    return v.tolist() if isinstance(v, numpy.ndarray) else v


def main():
    seeds = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz", "seeds", "pickle")
    os.makedirs(seeds, exist_ok=True)
    for name, d in DICTIONARIES.items():
        for version, data in ("python2", Python2().dictionary(d)), ("python3", pickle.dumps(d, 2)):
            back = pickle.loads(data, encoding="latin1")
            assert {k: plain(v) for k, v in back.items()} == {k: plain(v) for k, v in d.items()}, name
            pickletools.dis(data, open(os.devnull, "w"))
            with open(os.path.join(seeds, "%s_%s" % (version, name)), "wb") as f:
                f.write(data)


main()
