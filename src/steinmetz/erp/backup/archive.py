"""The file: a ZIP of two members, the manifest and the copy, sealed by a checksum of all its bytes.

The seal is the last 64 bytes: the SHA-256, in hexadecimal, of everything before them. It stands in the ZIP's
comment, so any tool can open the file, and any bit that has changed since is noticed before the file is opened.
Nothing is ever extracted under a name from inside.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from steinmetz.erp.backup.manifest import MAX_BYTES, BackupError, Manifest

Progress = Callable[[str, int, int], None]

MANIFEST = "manifest.json"
CHUNK_BYTES = 1 << 20
SEAL_BYTES = 64
_COMMENT = b"steinmetz sha256 "
_COMPRESSION = {"sqlite": zipfile.ZIP_DEFLATED, "postgresql": zipfile.ZIP_STORED}  # a dump is compressed already
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, UnicodeError, ValueError, KeyError)


@contextmanager
def draft_folder(beside: Path) -> Iterator[Path]:
    """A folder for its owner only, on the file system of ``beside``; gone at the end."""
    folder = beside.with_name(f".{beside.name}.{secrets.token_hex(4)}")
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def digest_of(path: Path, progress: Callable[[int], None] = lambda done: None) -> str:
    """The SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            progress(file.tell())
    return digest.hexdigest()


def write_archive(draft: Path, manifest: Manifest, copy: Path, progress: Progress) -> None:
    """Pack ``copy`` as ``draft``, mode 0600, safely on disk when this returns."""
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
            archive.comment = _COMMENT + b"0" * SEAL_BYTES
            moment = manifest.created_at.timetuple()[:6]
            archive.writestr(_member(MANIFEST, moment, zipfile.ZIP_STORED), manifest.as_json())
            info = _member(manifest.member, moment, _COMPRESSION[manifest.engine])
            info.file_size = manifest.size_bytes
            with copy.open("rb") as source, archive.open(info, "w", force_zip64=True) as into:
                while chunk := source.read(CHUNK_BYTES):
                    into.write(chunk)
                    progress("Packing", source.tell(), manifest.size_bytes)
        file.flush()
        seal = _seal_of(file)
        file.seek(-SEAL_BYTES, os.SEEK_END)
        file.write(seal)
        file.flush()
        os.fsync(file.fileno())


def _member(name: str, moment: tuple[int, ...], compression: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, moment)  # type: ignore[arg-type]  # six numbers
    info.compress_type = compression
    info.external_attr = (stat.S_IFREG | 0o600) << 16
    return info


def _seal_of(file: BinaryIO) -> bytes:
    length = file.seek(0, os.SEEK_END) - SEAL_BYTES
    file.seek(0)
    digest = hashlib.sha256()
    while length > 0 and (chunk := file.read(min(CHUNK_BYTES, length))):
        digest.update(chunk)
        length -= len(chunk)
    return digest.hexdigest().encode()


class Archive:
    """A backup that has been opened: its seal fits, it has the two members and no other, the manifest is ours.

    Raises `BackupError` with one line, whatever the file is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise BackupError(f"{path} cannot be opened: {error.strerror or error}") from None
        try:
            self._open()
        except BackupError as error:
            self._file.close()
            raise BackupError(f"{path} cannot be restored: {error}") from None
        except (*_DAMAGE, OSError, RuntimeError):
            self._file.close()
            raise BackupError(f"{path} cannot be restored: it is damaged") from None

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def _open(self) -> None:
        if not stat.S_ISREG(os.fstat(self._file.fileno()).st_mode):
            raise BackupError("it is not a file")
        seal = _seal_of(self._file)
        if self._file.read() != seal:
            raise BackupError("it is damaged or no backup (its checksum does not fit)")
        self._zip = zipfile.ZipFile(self._file)
        members = {info.filename: info for info in self._zip.infolist()}
        if MANIFEST not in members or len(self._zip.infolist()) != 2:
            raise BackupError("it does not hold what a backup holds")
        head = members[MANIFEST]
        if head.file_size > MAX_BYTES or head.compress_type != zipfile.ZIP_STORED:
            raise BackupError("its manifest cannot be read")
        with self._zip.open(head) as file:
            self.manifest = Manifest.from_json(file.read(MAX_BYTES))
        copy = members.get(self.manifest.member)
        if copy is None or copy.compress_type not in _COMPRESSION.values():
            raise BackupError("it does not hold what a backup holds")
        if copy.file_size != self.manifest.size_bytes:
            raise BackupError("its manifest does not fit its contents")
        self._copy = copy

    def extract(self, target: Path, progress: Progress) -> None:
        """Write the copy to the new file ``target``, mode 0600: exactly the bytes that the manifest promises.

        Raises `BackupError`; what was written is then to be thrown away.
        """
        total = self.manifest.size_bytes
        if total > shutil.disk_usage(target.parent).free:
            raise BackupError(f"{target.parent} has no room for {total} bytes")
        digest, done = hashlib.sha256(), 0
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as into, self._zip.open(self._copy) as source:
                while chunk := source.read(CHUNK_BYTES):
                    done += len(chunk)
                    if done > total:
                        break
                    digest.update(chunk)
                    into.write(chunk)
                    progress("Unpacking", done, total)
                into.flush()
                os.fsync(into.fileno())
        except (*_DAMAGE, RuntimeError):
            raise BackupError(f"{self.path} cannot be restored: it is damaged") from None
        if done != total or digest.hexdigest() != self.manifest.sha256:
            raise BackupError(f"{self.path} cannot be restored: its manifest does not fit its contents")
