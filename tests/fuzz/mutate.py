"""Mutation without a guide: bytes flipped, cut, doubled, moved, numbers at their edges, pieces of other samples; the same for a seed."""

from collections.abc import Iterator, Sequence
from random import Random

_EDGES = (0, 1, 0x7F, 0x80, 0xFF)
_NUMBERS = (b"0", b"-1", b"1e999", b"NaN", b"2147483648", b"9223372036854775808", b"9" * 400)
_PIECES = (
    *(b'"', b"{", b"[" * 20, b"\\ud800", b"\xed\xa0\x80", b"\x00", b"\xef\xbb\xbf", b"\r\n", b"null", b'"v":2,'),
    *(
        b"%PDF-1.7\n",
        b"/ByteRange [0 1 2 3]",
        b"endobj\n",
        b"%%EOF\n",
        b"startxref\n0\n",
        b"/Length 99999999",
        b"<<",
        b">>",
    ),
    *(b"\xff\xd9", b"IHDR", b"II*\x00", b"v1,", b"whsec_"),
)


def mutants(samples: Sequence[bytes], *, seed: int, count: int, longest: int) -> Iterator[bytes]:
    """Yield so many inputs, each a sample with one to six changes."""
    random = Random(seed)
    for _ in range(count):
        data = bytearray(random.choice(samples))
        for _ in range(random.randint(1, 6)):
            _change(data, random, samples)
        yield bytes(data[:longest])


def _change(data: bytearray, random: Random, samples: Sequence[bytes]) -> None:
    at = random.randint(0, len(data))
    size = random.choice((1, 2, 4, 16, 64, 256))
    match random.randrange(9):
        case 0 if at < len(data):
            data[at] ^= 1 << random.randrange(8)
        case 1 if at < len(data):
            data[at] = random.choice(_EDGES)
        case 2:
            del data[at : at + size]
        case 3:
            data[at:at] = data[at : at + size] * random.randint(1, 8)
        case 4:
            data[at:at] = random.choice(_PIECES)
        case 5:
            data[at : at + size] = random.randbytes(size)
        case 6:
            other = random.choice(samples)
            start = random.randint(0, len(other))
            data[at : at + size] = other[start : start + size]
        case 7:
            _replace_a_number(data, at, random)
        case _:
            del data[at:]


def _replace_a_number(data: bytearray, at: int, random: Random) -> None:
    """Lengths, offsets, times and counts are where readers err."""
    start = next((n for n in range(at, min(at + 500, len(data))) if 0x30 <= data[n] <= 0x39), None)
    if start is None:
        return
    end = start
    while end < len(data) and 0x30 <= data[end] <= 0x39:
        end += 1
    number = int(data[start:end][:18])
    near = [b"%d" % max(0, number + random.choice((-1, 1, 2, 16, 1000))), *_NUMBERS]
    data[start:end] = random.choice(near)
