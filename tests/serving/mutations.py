"""Images that are broken on purpose: mutations of good ones, and bombs. Seeded."""

from __future__ import annotations

import functools
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

Case = tuple[str, bytes]
"""What it is, and its bytes."""

_SAVED: tuple[tuple[str, str, dict], ...] = (
    ("JPEG", "RGB", {"quality": 80}), ("JPEG", "L", {}), ("JPEG", "CMYK", {}),
    ("JPEG", "RGB", {"progressive": True}), ("JPEG", "RGB", {"exif": True}),
    ("PNG", "RGB", {}), ("PNG", "P", {}), ("PNG", "LA", {}), ("PNG", "RGBA", {"exif": True}),
    ("PNG", "I;16", {}), ("PNG", "1", {}),
    ("WEBP", "RGB", {}), ("WEBP", "RGBA", {"lossless": True}),
    ("BMP", "RGB", {}), ("BMP", "P", {}), ("BMP", "1", {}),
    ("TIFF", "RGB", {}), ("TIFF", "RGB", {"compression": "jpeg"}),
    ("TIFF", "L", {"compression": "tiff_lzw"}), ("TIFF", "CMYK", {}), ("TIFF", "LAB", {}),
    ("TIFF", "F", {}), ("TIFF", "I", {}), ("TIFF", "1", {"compression": "group4"}),
)  # fmt: skip


@functools.cache
def seeds() -> tuple[Case, ...]:
    """Good images of every format and of most kinds of pixels."""
    return tuple((f"{kind} {mode} {how}", _saved(kind, mode, how)) for kind, mode, how in _SAVED)


def _saved(kind: str, mode: str, how: dict) -> bytes:
    noise = np.random.default_rng(3).integers(0, 256, (36, 52, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    image = Image.new(mode, image.size, 7) if mode in ("LAB", "I;16") else image.convert(mode)
    return _bytes(image, kind, **({"exif": _exif(6)} if how.get("exif") else how))


def _exif(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def _bytes(image: Image.Image, kind: str, **how) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


# Mutations -----------------------------------------------------------------------------------


def mutants(count: int, seed: int = 1) -> Iterator[Case]:
    """So many broken images; the same ones for the same seed."""
    chance = random.Random(seed)
    for _ in range(count):
        name, content = chance.choice(seeds())
        change = chance.choice(_CHANGES)
        changed = bytearray(content)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            change(changed, chance)
        yield f"{change.__name__[1:]} of {name}", bytes(changed)


def _flip_bits(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 8, 64))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _flip_the_header(data: bytearray, chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 4))):
        data[chance.randrange(min(64, len(data)))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF))


def _cut_off(data: bytearray, chance: random.Random) -> None:
    del data[chance.randrange(1, len(data)) :]
    data += b"x"  # never empty


def _splice(data: bytearray, chance: random.Random) -> None:
    """A piece of another file, or of the same one."""
    other = chance.choice(seeds())[1]
    begin, at = chance.randrange(len(other)), chance.randrange(len(data))
    piece = other[begin : begin + chance.randrange(1, 400)]
    data[at : at + chance.choice((0, len(piece)))] = piece


def _head_of_another(data: bytearray, chance: random.Random) -> None:
    length = chance.choice((2, 4, 8, 12, 30))
    data[:length] = chance.choice(seeds())[1][:length]


def _wrong_number(data: bytearray, chance: random.Random) -> None:
    """A length, a count, an offset or a side that is far off."""
    number = chance.choice((0, 1, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
    packed = struct.pack(chance.choice("<>") + chance.choice("HI"), number & 0xFFFF)
    at = chance.randrange(max(1, min(len(data), 256) - len(packed)))
    data[at : at + len(packed)] = packed


def _other_exif(data: bytearray, chance: random.Random) -> None:
    """Puts EXIF after the start of a JPEG; into others it goes as rubbish."""
    inner = chance.choice((_exif_loop(), _exif(chance.randrange(300)).tobytes()[6:], b"II*\0"))
    body = b"Exif\0\0" + bytes(
        byte if chance.random() > 0.03 else chance.randrange(256) for byte in inner
    )
    data[2:2] = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body


def _double(data: bytearray, chance: random.Random) -> None:
    begin = chance.randrange(len(data))
    data[begin:begin] = data[begin : begin + chance.randrange(1, 3000)]


_CHANGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip_bits, _flip_the_header, _cut_off, _splice, _head_of_another, _wrong_number,
    _other_exif, _double,
)  # fmt: skip


def _exif_loop() -> bytes:
    """A directory whose sub-directory is itself, as is its next one."""
    entries = [(0x0112, 3, 1, 6), (0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)]
    packed = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + packed + struct.pack("<I", 8)


# Bombs ---------------------------------------------------------------------------------------

_HUGE = 2**31 - 1


def bombs() -> list[Case]:
    """Small files that ask for much memory or time; several are just within what is allowed."""
    return [*_large(), *_allowed(), *_lying(), *_many(), *_stuffed()]


def _large() -> Iterator[Case]:
    turned = _chunk(b"eXIf", _exif(6).tobytes()[6:])
    for side in (7072, 9000, 11_500):
        yield f"PNG of {side} x {side}", _png(side, side, _zeros((4 * side + 1) * side), turned, 6)
    yield "JPEG of 9000 x 9000", _plain("JPEG", "L", 9000, 9000)
    yield "WEBP of 16383 x 16383", _lossless_webp(16383, 16383)
    yield "TIFF of 9000 x 9000", _plain("TIFF", "1", 9000, 9000, compression="group4")


def _allowed() -> Iterator[Case]:
    yield "PNG, RGBA, turned", _plain("PNG", "RGBA", 7000, 7000, exif=_exif(6), compress_level=1)
    yield "PNG, 16 bits", _plain("PNG", "I;16", 7000, 7000, compress_level=1)
    yield "PNG, a line", _plain("PNG", "L", 10**6, 1)
    yield "JPEG, CMYK", _plain("JPEG", "CMYK", 7000, 7000)
    yield (
        "JPEG, progressive, turned",
        _plain("JPEG", "RGB", 7000, 7000, progressive=True, exif=_exif(5)),
    )
    yield "JPEG of 10,000 scans", _scans(10_000)
    yield "JPEG, a column", _plain("JPEG", "L", 1, 65500)
    for mode in ("F", "CMYK", "RGBA", "LAB"):
        yield f"TIFF, {mode}", _plain("TIFF", mode, 7000, 7000, compression="tiff_lzw")
    yield "TIFF, 1 bit", _plain("TIFF", "1", 7000, 7000, compression="group4")
    yield "TIFF, noise that PNG cannot shrink", _noise_as_tiff(5200)


def _lying() -> Iterator[Case]:
    """Headers that tell of far more than the file has."""
    yield "PNG of 2^31 pixels a side", _png(_HUGE, _HUGE, b"")
    yield "PNG of 7000 x 7000 without pixels", _png(7000, 7000, b"")
    yield "PNG of 8 x 8 with pixels of 256 MiB", _png(8, 8, _zeros(2**28))
    yield "PNG with a text of 256 MiB", _png(8, 8, zlib.compress(bytes(72)), _text(2**28))
    yield "PNG with a profile of 256 MiB", _png(8, 8, zlib.compress(bytes(72)), _profile(2**28))
    yield "BMP of 2^31 pixels a side", _bmp(_HUGE, _HUGE)
    yield "BMP of 7000 x 7000 without pixels", _bmp(7000, 7000)
    jpeg = _bytes(Image.new("RGB", (8, 8)), "JPEG")
    at = jpeg.index(b"\xff\xc0") + 5
    yield "JPEG of 65535 x 65535", jpeg[:at] + b"\xff" * 4 + jpeg[at + 4 :]
    yield "JPEG whose EXIF leads to itself", _with_exif(jpeg, _exif_loop())
    counted = b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 0x0112, 3, 2**32 - 1, 8)
    yield "JPEG whose EXIF counts to 2^32", _with_exif(jpeg, counted)


def _many() -> Iterator[Case]:
    """Frames, pages and pieces; the first frame counts alone."""
    page = Image.new("1", (500, 500))
    pages = [page] * 200
    yield (
        "TIFF of 201 pages",
        _bytes(page, "TIFF", save_all=True, append_images=pages, compression="group4"),
    )
    frames = [Image.new("P", (600, 600), k) for k in range(1, 60)]
    first = frames[0].convert("RGB")
    yield "PNG of 59 frames", _bytes(frames[0], "PNG", save_all=True, append_images=frames[1:])
    yield (
        "WEBP of 60 frames",
        _bytes(first, "WEBP", save_all=True, append_images=frames, quality=1, method=0),
    )
    loop = bytearray(_plain("TIFF", "L", 8, 8))
    loop[-4:] = loop[4:8]
    yield "TIFF whose next page is its first", bytes(loop)
    jpeg = _bytes(Image.new("RGB", (8, 8)), "JPEG")
    comments = (b"\xff\xfe\xff\xff" + bytes(65533)) * 250
    yield "JPEG with 16 MiB of comments", jpeg[:2] + comments + jpeg[2:]
    empty = _chunk(b"IDAT", b"")
    yield "PNG of a million empty pieces", _png(8, 8, b"", empty * 10**6)


def _stuffed() -> Iterator[Case]:
    """Megabytes beside the pixels, and files that are something else, too."""
    small, much = Image.new("RGB", (8, 8)), bytes(2**24)
    yield "WEBP with 16 MiB of XMP", _bytes(small, "WEBP", xmp=much)
    yield "TIFF with a tag of 16 MiB", _bytes(small, "TIFF", tiffinfo={700: much})
    orientation = _exif(6).tobytes()[6:]
    eight = zlib.compress(bytes(72))
    yield "PNG with 16 MiB of EXIF", _png(8, 8, eight, _chunk(b"eXIf", orientation + much))
    jpeg = _bytes(small, "JPEG")
    pieces = (b"ICC_PROFILE\0" + bytes((n, 255)) + bytes(65519) for n in range(1, 256))
    profile = b"".join(b"\xff\xe2\xff\xff" + piece for piece in pieces)
    yield "JPEG with a profile of 255 pieces", jpeg[:2] + profile + jpeg[2:]
    others = [Image.new("RGB", (600, 600), (n, n, n)) for n in range(60)]
    yield "MPO of 61 pictures", _bytes(small, "MPO", save_all=True, append_images=others)
    archive = io.BytesIO(jpeg)
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as inner:
        inner.writestr("zeros", bytes(2**24))
    yield "JPEG that is a ZIP archive, too", archive.getvalue()
    yield "PNG that is a web page, too", _png(8, 8, eight, _chunk(b"tEXt", b"<script>1</script>"))


def _plain(kind: str, mode: str, width: int, height: int, **how) -> bytes:
    return _bytes(Image.new(mode, (width, height)), kind, **how)


def _scans(count: int) -> bytes:
    """A progressive JPEG that has its last scan, of 98 bytes for 49 million pixels, so often."""
    jpeg = _plain("JPEG", "L", 7000, 7000, progressive=True)
    table = jpeg.rindex(b"\xff\xc4", 0, jpeg.rindex(b"\xff\xda"))
    return jpeg[:-2] + jpeg[table:-2] * count + jpeg[-2:]


@functools.cache
def _lossless_webp(width: int, height: int) -> bytes:
    """A header of these sides over the pixels of a small one."""
    data = bytearray(_bytes(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    at = data.index(b"VP8L") + 9
    sides = int.from_bytes(data[at : at + 4], "little") >> 28 << 28
    data[at : at + 4] = (sides | (width - 1) | (height - 1) << 14).to_bytes(4, "little")
    return bytes(data)


def _noise_as_tiff(side: int) -> bytes:
    noise = np.random.default_rng(5).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((side, side), Image.Resampling.BICUBIC)
    return _bytes(image, "TIFF", compression="jpeg", quality=60)


def _chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def _png(width: int, height: int, pixels: bytes, more: bytes = b"", colours: int = 0) -> bytes:
    """Of 8 bits; its colours are 0 for grey, 6 for RGBA."""
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colours, 0, 0, 0))
    body = more + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + body


@functools.cache
def _zeros(count: int) -> bytes:
    """So many zeros, compressed."""
    packer = zlib.compressobj(1)
    pieces = [packer.compress(bytes(min(2**20, count - at))) for at in range(0, count, 2**20)]
    return b"".join(pieces) + packer.flush()


def _text(count: int) -> bytes:
    return _chunk(b"zTXt", b"Comment\0\0" + _zeros(count))


def _profile(count: int) -> bytes:
    return _chunk(b"iCCP", b"icc\0\0" + _zeros(count))


def _bmp(width: int, height: int) -> bytes:
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 1, 1, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


def _with_exif(jpeg: bytes, exif: bytes) -> bytes:
    body = b"Exif\0\0" + exif
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
