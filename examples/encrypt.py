#!/usr/bin/env -S glupy run
"""Encryption of what files contain, with AES-256 in XTS mode (Debian's python3-cryptography).

    (umask 077; head -c 32 /dev/urandom > /etc/glupy/encrypt.key)
    glupy run encrypt.py DIRECTORY MOUNTPOINT -o key-file=/etc/glupy/encrypt.key

Each file has keys of its own, made of the secret in the key file and the file's gfid. Names, sizes, times, attributes, and
which blocks contain nothing but zeros stay visible, and who sees the disk twice sees which 16 bytes have changed. What is
stored is not authenticated: who can write to the disk can spoil it, or put an earlier state back, and nobody notices. Whoever
loses the key file loses the content.
"""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB, XTS
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from glupy import Content, LoadError, Option

ROUNDS = 10


@dataclass(frozen=True)
class Keys:
    """Of one file."""

    blocks: AES  # two keys of 256 bits in one, as XTS has it
    short: AES


class Encrypt(Content):
    block_size = 4096
    mark = "trusted.glupy.encrypt"  # files that were there before are left as they are

    key_file = Option(Path, help="file with the secret, 32 bytes at least, which nobody but its owner may read or write")

    def init(self):
        if self.key_file.stat().st_mode & 0o077:
            raise LoadError(f"{self.key_file} is open to others: chmod 600 it")
        self.secret = self.key_file.read_bytes()
        if len(self.secret) < 32:
            raise LoadError(f"{self.key_file} has {len(self.secret)} bytes; a secret has 32 at least")

    def keys(self, file):
        if file.own is None:
            made = HKDF(SHA512(), length=96, salt=None, info=b"glupy encrypt " + str(file.gfid).encode()).derive(self.secret)
            file.own = Keys(AES(made[:64]), AES(made[64:]))
        return file.own

    def encode(self, file, offset, data):
        if len(data) < 16:
            return self.mixed(file, offset, data, back=False)
        return self.cipher(file, offset).encryptor().update(data)

    def decode(self, file, offset, data):
        if len(data) < 16:
            return self.mixed(file, offset, data, back=True)
        return self.cipher(file, offset).decryptor().update(data)

    def cipher(self, file, offset):
        return Cipher(self.keys(file).blocks, XTS((offset // self.block_size).to_bytes(16, "little")))

    def mixed(self, file, offset, data, back):
        """XTS takes 16 bytes at least. A file's last block that is shorter goes through a Feistel network, whose halves are
        mixed by AES, as in FF1 (NIST SP 800-38G): so it, too, shows no more than whether it is the same as before."""
        aes, bits = Cipher(self.keys(file).short, ECB()).encryptor(), 4 * len(data)
        place = (offset // self.block_size).to_bytes(7, "little")
        halves = divmod(int.from_bytes(data, "little"), 1 << bits)
        one, other = halves[::-1] if back else halves
        for number in reversed(range(ROUNDS)) if back else range(ROUNDS):
            mix = aes.update(bytes([number << 4 | len(data)]) + place + other.to_bytes(8, "little"))
            one, other = other, one ^ int.from_bytes(mix, "little") % (1 << bits)
        high, low = (other, one) if back else (one, other)
        return (high << bits | low).to_bytes(len(data), "little")
