"""The bytes of a file as UTF-8 text, block by block: unpacked, and decoded from whatever encoding it is in."""

import codecs
import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from logger.errors import ConfigError

BLOCK_BYTES = 4 << 20
_MAGIC = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"PAR1": "parquet"}
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WANTED = "wanted is CSV with a header line, Parquet or GPX"
_CONTROLS = bytes(range(8))  # no text has them
_UNDEFINED = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))  # of Windows 1252, where Latin-1 has control characters


class Member(msgspec.Struct, frozen=True):
    """One file as people see it: itself, or one that an archive holds. `name` is empty for the file itself."""

    path: Path
    kind: str
    name: str = ""

    @property
    def label(self) -> str:
        """How it is called in errors and summaries."""
        return f"{self.path}/{self.name}" if self.name else str(self.path)

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Yield its bytes, unpacked. Raises `ConfigError` for a file that cannot be read or is damaged."""
        try:
            with self.path.open("rb") as file, self._unpack(file) as unpacked:
                yield unpacked
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
            raise ConfigError(f"not readable: {error}; is the file whole?") from error

    @contextmanager
    def _unpack(self, file: BinaryIO) -> Iterator[BinaryIO]:
        if self.kind == "gzip":
            with gzip.open(file) as unpacked:
                yield unpacked  # type: ignore[misc]  # a GzipFile reads as a BinaryIO does
        elif self.kind == "zip":
            with zipfile.ZipFile(file) as archive, archive.open(self.name) as unpacked:
                yield unpacked  # type: ignore[misc]  # and so does a ZipExtFile
        else:
            yield file


def members(path: Path, compression: str = "") -> list[Member]:
    """Return what this file holds: itself, or each file of a zip archive. Raises `ConfigError`."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ConfigError(f"{path}: a pipe or a device, and a file is read more than once: write a file first")
    try:
        kind = "" if compression == "none" else compression or _kind(path)
        if kind != "zip":
            return [Member(path, kind)]
        with zipfile.ZipFile(path) as archive:
            names = [each for each in archive.namelist() if not each.endswith("/") and "__MACOSX" not in each]
    except (OSError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path}: not readable as a table: {getattr(error, 'strerror', None) or error}") from error
    if not names:
        raise ConfigError(f"{path}: the archive is empty")
    if any(name.startswith("xl/") for name in names):
        raise ConfigError(f"{path}: a workbook of a spreadsheet: save its sheet as CSV (UTF-8)")
    return [Member(path, kind, name) for name in sorted(names)]


def _kind(path: Path) -> str:
    """`gzip`, `zip` or `parquet` by the first bytes, else nothing."""
    with path.open("rb") as file:
        head = file.read(4)
    return next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "")


def check_text(text: bytes) -> None:
    """Raise `ConfigError` for the beginning of a file that is no table: an archive, JSON, or no text at all."""
    head = text[:2000]
    if text[257:262] == b"ustar":
        raise ConfigError("an archive of tar: unpack it first")
    if head.lstrip()[:1] in (b"{", b"["):
        raise ConfigError(f"JSON: {_WANTED}")
    if sum(head.count(each) for each in _CONTROLS) > len(head) / 50:
        raise ConfigError(f"no text: {_WANTED}; if it is, name its --encoding")


def text_blocks(file: BinaryIO, encoding: str = "", read: Callable[[int], None] = lambda size: None) -> Iterator[bytes]:
    """Yield the text of the file in UTF-8, without a byte order mark, in blocks; lines that end in CR end in LF.

    Without an `encoding` it is that of a byte order mark, UTF-16 where every other byte is 0, else UTF-8, and Windows
    1252 or Latin-1 where it is not that. `read` is told the size of each block [bytes]. Raises `ConfigError`.
    """
    block = file.read(BLOCK_BYTES)
    name, mark = _encoding(block, encoding)
    decode = _decoder(name, forced=bool(encoding))
    block, is_cr = block[mark:], None
    while block:
        following = file.read(BLOCK_BYTES)
        read(len(block))
        text = decode(block, not following)
        is_cr = b"\r" in text and b"\n" not in text if is_cr is None else is_cr
        yield text.replace(b"\r", b"\n") if is_cr else text
        block = following


def _encoding(head: bytes, encoding: str) -> tuple[str, int]:
    """The name of the encoding, and the size of the byte order mark [bytes]."""
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    if encoding:
        return encoding, 0
    even, odd = head[0:4000:2].count(0), head[1:4000:2].count(0)
    if max(even, odd) > len(head[:4000]) / 5 and min(even, odd) < len(head[:4000]) / 50:
        return ("utf-16-le" if odd > even else "utf-16-be"), 0
    return "utf-8", 0


def _decoder(name: str, *, forced: bool) -> Callable[[bytes, bool], bytes]:
    """A function that turns blocks of bytes into UTF-8; `forced` where no other encoding may be meant."""
    if name == "utf-8" and not forced:
        return _Utf8OrWindows()
    decoder = codecs.getincrementaldecoder(name)()

    def decode(block: bytes, last: bool) -> bytes:
        try:
            return decoder.decode(block, last).encode()
        except UnicodeDecodeError as error:
            raise ConfigError(f"not {name}: {error.reason}; leave --encoding out, or name another") from error

    return decode


class _Utf8OrWindows:
    """Decodes UTF-8; from the first block that is none, what is read is taken for Windows 1252 or Latin-1."""

    def __init__(self) -> None:
        self._windows, self._rest = False, b""

    def __call__(self, block: bytes, last: bool) -> bytes:
        if self._windows:
            return _from_windows(block)
        whole, self._rest = _split_character(self._rest + block, last)
        if _is_utf8(whole):
            return whole
        self._windows = True
        return _from_windows(whole + self._rest)


def _from_windows(block: bytes) -> bytes:
    return block.decode("latin-1" if any(each in block for each in _UNDEFINED) else "cp1252").encode()


def _split_character(block: bytes, last: bool) -> tuple[bytes, bytes]:
    """The block up to its last whole character, and the beginning of one that the block cuts."""
    for size in range(1, min(4, len(block) + 1)):
        byte = block[-size]
        if byte >= 0xC0 and not last:
            return block[:-size], block[-size:]
        if byte < 0x80:
            break
    return block, b""


def _is_utf8(block: bytes) -> bool:
    try:
        return block.isascii() or block.decode() is not None
    except UnicodeDecodeError:
        return False
