"""The value types: Gfid, Iatt, Statvfs, LkOwner, Flock, Lease, LockEntry, LockList."""

import copy
import fcntl
import os
import pickle
import socket
import stat
import uuid
from pathlib import Path

import pytest

from glupy import Flock, Gfid, Iatt, IaType, Lease, LkOwner, LockEntry, LockList, Mdata, Statvfs

TEXT = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
RAW = uuid.UUID(TEXT).bytes
IA_IFREG, IA_IFDIR, IA_IFLNK = 1, 2, 3

RECORDS = [
    Iatt(ia_size=3, ia_gfid=TEXT, ia_type=IA_IFREG, ia_prot=0o640, ia_mtime=-5),
    Statvfs(f_bsize=4096, f_namemax=255),
    Flock(l_type=fcntl.F_WRLCK, l_start=1 << 40, l_pid=-7, l_owner=b"me"),
    Lease(cmd=2, lease_type=1, lease_id=bytes(range(16)), lease_flags=9),
]
every_record = pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)


class TestGfid:
    @pytest.mark.parametrize("value", [TEXT, TEXT.upper(), RAW, uuid.UUID(TEXT), Gfid(TEXT)])
    def test_made_from(self, value):
        gfid = Gfid(value)
        assert str(gfid) == TEXT
        assert bytes(gfid) == RAW
        assert repr(gfid) == f"Gfid('{TEXT}')"
        assert gfid.uuid == uuid.UUID(TEXT)

    @pytest.mark.parametrize("value", ["", "root", TEXT[:-1], TEXT + "0", TEXT[:-1] + "\0", "\udcff", b"", RAW + b"x"])
    def test_malformed(self, value):
        with pytest.raises(ValueError):
            Gfid(value)

    @pytest.mark.parametrize("value", [None, 1, 1.5, [], bytearray(RAW)])
    def test_wrong_type(self, value):
        with pytest.raises(TypeError, match="expected Gfid, uuid.UUID, str or 16 bytes, not"):
            Gfid(value)

    def test_takes_one_positional_argument(self):
        with pytest.raises(TypeError):
            Gfid(value=TEXT)
        with pytest.raises(TypeError):
            Gfid(TEXT, TEXT)

    def test_null(self):
        assert not Gfid()
        assert bytes(Gfid()) == bytes(16)
        assert Gfid(TEXT)

    def test_root(self):
        root = Gfid.root()
        assert str(root) == "00000000-0000-0000-0000-000000000001"
        assert root.is_root
        assert not Gfid().is_root
        assert not Gfid(TEXT).is_root

    def test_random(self):
        gfids = {Gfid.random() for _ in range(100)}
        assert len(gfids) == 100
        assert all(gfids)

    def test_equal_only_to_gfids(self):
        assert Gfid(TEXT) == Gfid(RAW)
        assert Gfid(TEXT) != Gfid()
        for other in (TEXT, RAW, uuid.UUID(TEXT), None):
            assert Gfid(TEXT) != other

    def test_hash_follows_equality_and_spreads(self):
        assert hash(Gfid(TEXT)) == hash(Gfid(RAW))
        for order in ("big", "little"):
            low_bits = {hash(Gfid(number.to_bytes(16, order))) & 0xFFF for number in range(4096)}
            assert len(low_bits) > 1000

    def test_order_is_that_of_the_bytes(self):
        gfids = [Gfid.random() for _ in range(50)]
        assert sorted(gfids) == sorted(gfids, key=bytes)
        assert Gfid() < Gfid.root() <= Gfid.root()
        with pytest.raises(TypeError):
            assert Gfid() < TEXT

    def test_copy_and_pickle(self):
        gfid = Gfid(TEXT)
        assert copy.copy(gfid) is gfid
        assert copy.deepcopy([gfid])[0] is gfid
        assert pickle.loads(pickle.dumps(gfid)) == gfid

    def test_immutable(self):
        with pytest.raises(AttributeError):
            Gfid(TEXT).is_root = True
        with pytest.raises(AttributeError):
            Gfid(TEXT).other = 1
        with pytest.raises(TypeError):
            Gfid.other = 1


class TestEveryRecord:
    @every_record
    def test_copies_are_equal_and_independent(self, record):
        for twin in (record.replace(), copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record))):
            assert twin == record
            assert twin is not record
            assert not twin != record
        assert type(record)() != record

    @every_record
    def test_fields_by_keyword_only(self, record):
        with pytest.raises(TypeError, match="by keyword"):
            type(record)(1)
        with pytest.raises(TypeError, match="by keyword"):
            record.replace(1)
        with pytest.raises(TypeError, match="no field 'nonsense'"):
            type(record)(nonsense=1)
        with pytest.raises(TypeError, match="no field 'nonsense'"):
            record.replace(nonsense=1)

    @every_record
    def test_no_other_attributes(self, record):
        with pytest.raises(AttributeError):
            record.nonsense = 1

    @every_record
    def test_unhashable_and_unordered(self, record):
        with pytest.raises(TypeError):
            hash(record)
        with pytest.raises(TypeError):
            assert record < record
        assert record != 1
        assert record != bytes(8)

    @pytest.mark.parametrize(
        ("record", "field"),
        [(Iatt(), "ia_size"), (Iatt(), "mode"), (Statvfs(), "f_bsize"), (Flock(), "l_owner"), (Lease(), "cmd")],
    )
    def test_fields_cannot_be_deleted(self, record, field):
        with pytest.raises(AttributeError):
            delattr(record, field)

    @pytest.mark.parametrize("record", RECORDS[1:], ids=lambda record: type(record).__name__)
    def test_repr_can_be_evaluated(self, record):
        assert eval(repr(record)) == record


class TestIatt:
    UNSIGNED_64 = ["ia_flags", "ia_ino", "ia_dev", "ia_rdev", "ia_size", "ia_blocks"]
    UNSIGNED_64 += ["ia_attributes", "ia_attributes_mask"]
    UNSIGNED_32 = ["ia_nlink", "ia_uid", "ia_gid", "ia_blksize"] + [f"ia_{t}time_nsec" for t in "amcb"]
    SIGNED_64 = [f"ia_{t}time" for t in "amcb"]

    @pytest.mark.parametrize(
        ("field", "least", "largest"),
        [(name, 0, 2**64 - 1) for name in UNSIGNED_64]
        + [(name, 0, 2**32 - 1) for name in UNSIGNED_32]
        + [(name, -(2**63), 2**63 - 1) for name in SIGNED_64]
        + [("ia_type", 0, 7), ("ia_prot", 0, 0o7777), ("mode", 0, 0o177777)],
    )
    def test_integer_fields_and_their_limits(self, field, least, largest):
        iatt = Iatt()
        assert getattr(iatt, field) == 0
        for wrong in (least - 1, largest + 1, 10**30):
            with pytest.raises(OverflowError):
                setattr(iatt, field, wrong)
        for wrong in ("1", 1.0, None):
            with pytest.raises(TypeError):
                setattr(iatt, field, wrong)
        assert iatt == Iatt()
        if field != "mode":
            for value in (least, largest):
                setattr(iatt, field, value)
                assert getattr(iatt, field) == value
                assert iatt == Iatt(**{field: value})

    def test_writing_one_field_leaves_the_others(self):
        iatt = RECORDS[0].replace(ia_uid=4)
        assert (iatt.ia_size, iatt.ia_uid, iatt.ia_prot, iatt.ia_mtime) == (3, 4, 0o640, -5)
        assert RECORDS[0].ia_uid == 0

    def test_gfid(self):
        iatt = Iatt()
        assert iatt.ia_gfid == Gfid()
        for value in (TEXT, RAW, Gfid(TEXT), uuid.UUID(TEXT)):
            iatt.ia_gfid = value
            assert iatt.ia_gfid == Gfid(TEXT)
        with pytest.raises(ValueError):
            iatt.ia_gfid = "x"
        assert iatt.ia_gfid == Gfid(TEXT)

    @pytest.mark.parametrize("prot", [0o0, 0o7777, 0o4755, 0o2070, 0o1007, 0o421])
    def test_permission_bits(self, prot):
        assert Iatt(ia_prot=prot).ia_prot == prot

    @pytest.mark.parametrize(
        ("mode", "ia_type"),
        [
            (stat.S_IFREG | 0o644, 1),
            (stat.S_IFDIR | 0o1777, 2),
            (stat.S_IFLNK | 0o777, 3),
            (stat.S_IFBLK | 0o600, 4),
            (stat.S_IFCHR | 0o600, 5),
            (stat.S_IFIFO | 0o600, 6),
            (stat.S_IFSOCK | 0o600, 7),
        ],
    )
    def test_mode(self, mode, ia_type):
        iatt = Iatt(mode=mode)
        assert (iatt.ia_type, iatt.ia_prot, iatt.mode) == (ia_type, mode & 0o7777, mode)

    def test_mode_without_type_keeps_the_type(self):
        iatt = Iatt(ia_type=IA_IFDIR)
        iatt.mode = 0o700
        assert iatt.mode == stat.S_IFDIR | 0o700

    def test_type_questions(self):
        assert [Iatt(ia_type=t).is_file() for t in range(8)] == [t == IA_IFREG for t in range(8)]
        assert [Iatt(ia_type=t).is_dir() for t in range(8)] == [t == IA_IFDIR for t in range(8)]
        assert [Iatt(ia_type=t).is_link() for t in range(8)] == [t == IA_IFLNK for t in range(8)]

    def test_repr(self):
        assert repr(RECORDS[0]) == f"<Iatt file gfid={TEXT} size=3 mode=0o100640>"

    def test_stat_round_trip(self, tmp_path):
        path = tmp_path / "file"
        path.write_bytes(b"x" * 5000)
        path.chmod(0o4751)
        os.utime(path, ns=(1_234_567_890_123_456_789, -1))
        before = os.stat(path)
        iatt = Iatt.from_stat(before)
        assert iatt.is_file()
        assert (iatt.ia_size, iatt.mode, iatt.ia_ino) == (5000, before.st_mode, before.st_ino)
        assert (iatt.ia_atime, iatt.ia_atime_nsec) == (1_234_567_890, 123_456_789)
        assert (iatt.ia_mtime, iatt.ia_mtime_nsec) == (-1, 999_999_999)
        after = iatt.to_stat()
        assert isinstance(after, os.stat_result)
        for name in dir(before):
            if name.startswith("st_") and name != "st_blocks":
                assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1e-6), name
        assert after.st_mtime_ns == -1
        assert tuple(after) == tuple(before)[:7] + (1_234_567_890, -1, int(before[9]))

    def test_stat_of_a_device_and_a_directory(self):
        null = os.stat("/dev/null")
        assert Iatt.from_stat(null).ia_rdev == os.major(null.st_rdev) << 32 | os.minor(null.st_rdev)
        assert Iatt.from_stat(null).to_stat().st_rdev == null.st_rdev
        assert Iatt.from_stat(os.stat("/")).is_dir()

    def test_times_far_away(self):
        far = Iatt(ia_mtime=2**40, ia_mtime_nsec=7)
        assert far.to_stat().st_mtime_ns == 2**40 * 10**9 + 7
        again = Iatt.from_stat(far.to_stat())
        assert (again.ia_mtime, again.ia_mtime_nsec) == (2**40, 7)

    def test_from_something_else(self):
        with pytest.raises(AttributeError):
            Iatt.from_stat(1)
        with pytest.raises(TypeError):
            Iatt.from_stat(os.stat_result([0] * 10, {"st_blocks": "many"}))


class TestStatvfs:
    def test_from_statvfs(self):
        result = os.statvfs("/")
        statvfs = Statvfs.from_statvfs(result)
        for name in (name for name in dir(result) if name.startswith("f_")):
            assert getattr(statvfs, name) == getattr(result, name), name

    def test_missing_values_are_zero(self):
        assert Statvfs.from_statvfs(os.statvfs_result([1] * 10)).f_fsid == 0
        with pytest.raises(AttributeError):
            Statvfs.from_statvfs(object())

    def test_limits(self):
        assert Statvfs(f_blocks=2**64 - 1).f_blocks == 2**64 - 1
        with pytest.raises(OverflowError):
            Statvfs(f_blocks=2**64)


class TestLkOwner:
    @pytest.mark.parametrize("value", [b"", b"owner", b"\0" * 8, bytes(1024), b"a\0b"])
    def test_value(self, value):
        owner = LkOwner(value)
        assert bytes(owner) == value
        assert len(owner) == len(value)
        assert bool(owner) == bool(value)
        assert owner.hex() == value.hex()
        assert repr(owner) == f"LkOwner({value!r})"
        assert bytes(memoryview(owner)) == value
        assert memoryview(owner).readonly
        assert owner == LkOwner(owner) == LkOwner(bytearray(value))
        assert hash(owner) == hash(LkOwner(value))
        assert pickle.loads(pickle.dumps(owner)) == owner
        assert copy.deepcopy(owner) == owner

    def test_default_is_empty(self):
        assert LkOwner() == LkOwner(b"")

    def test_differences(self):
        assert LkOwner(b"a") != LkOwner(b"b")
        assert LkOwner(b"a") != LkOwner(b"a\0")
        assert LkOwner(b"a") != b"a"

    def test_rejects(self):
        with pytest.raises(ValueError, match="at most 1024 bytes, not 1025"):
            LkOwner(bytes(1025))
        for value in ("text", 8.0, None):
            with pytest.raises(TypeError, match="expected LkOwner, int or bytes, not"):
                LkOwner(value)
        for value in (-1, 2**64):
            with pytest.raises(OverflowError, match="from 0 to 2"):
                LkOwner(value)

    @pytest.mark.parametrize("number", [0, 1, 0x0102030405060708, 2**64 - 1])
    def test_of_a_number(self, number):
        assert bytes(LkOwner(number)) == number.to_bytes(8, "little")
        assert Flock(l_owner=number).l_owner == LkOwner(number)

    def test_nobody(self):
        assert LkOwner().is_null and LkOwner(0).is_null and LkOwner(bytes(1024)).is_null
        assert not LkOwner(1).is_null and not LkOwner(bytes(1023) + b"x").is_null


class TestFlock:
    @pytest.mark.parametrize(
        ("field", "bits"), [("l_type", 16), ("l_whence", 16), ("l_start", 64), ("l_len", 64), ("l_pid", 32)]
    )
    def test_limits(self, field, bits):
        for value in (-(2 ** (bits - 1)), -1, 2 ** (bits - 1) - 1):
            assert getattr(Flock(**{field: value}), field) == value
        for value in (-(2 ** (bits - 1)) - 1, 2 ** (bits - 1)):
            with pytest.raises(OverflowError):
                Flock(**{field: value})

    def test_owner(self):
        flock = Flock(l_owner=b"first, and longer")
        flock.l_owner = LkOwner(b"second")
        assert flock.l_owner == LkOwner(b"second")
        assert flock == Flock(l_owner=b"second")
        with pytest.raises(ValueError):
            flock.l_owner = bytes(1025)
        with pytest.raises(TypeError):
            flock.l_owner = "text"
        assert flock.l_owner == LkOwner(b"second")
        assert Flock().l_owner == LkOwner()

    def test_replace_leaves_the_original(self):
        flock = Flock(l_len=5, l_owner=b"me")
        other = flock.replace(l_len=6)
        assert (flock.l_len, other.l_len, other.l_owner) == (5, 6, LkOwner(b"me"))


class TestLease:
    def test_fields(self):
        lease = RECORDS[3]
        assert (lease.cmd, lease.lease_type, lease.lease_id, lease.lease_flags) == (2, 1, bytes(range(16)), 9)
        assert Lease().lease_id == bytes(16)

    def test_id_has_16_bytes(self):
        with pytest.raises(ValueError, match="16 bytes, not 3"):
            Lease(lease_id=b"abc")
        with pytest.raises(TypeError):
            Lease(lease_id="0123456789abcdef")


class TestLockList:
    LOCKS = [LockEntry(Flock(l_start=n, l_owner=b"o%d" % n), f"client-{n}", n) for n in range(4)]

    def test_lock(self):
        flock = Flock(l_len=2)
        lock = LockEntry(flock, "client", lk_flags=3)
        assert (lock.flock, lock.client_uid, lock.lk_flags) == (flock, "client", 3)
        flock.l_len = 9
        assert lock.flock.l_len == 2
        assert lock == LockEntry(Flock(l_len=2), "client", 3)
        assert lock != LockEntry(Flock(l_len=2), "client", 4)
        assert lock != LockEntry(Flock(l_len=2), "other", 3)
        assert lock != LockEntry(Flock(l_len=3), "client", 3)
        assert eval(repr(lock)) == lock
        assert pickle.loads(pickle.dumps(lock)) == lock

    def test_lock_rejects(self):
        for args in [(), (Flock(),), (None, "c"), (Flock(), b"c"), (Flock(), "c", "1")]:
            with pytest.raises(TypeError):
                LockEntry(*args)
        with pytest.raises(OverflowError):
            LockEntry(Flock(), "c", 2**32)

    def test_sequence(self):
        locks = LockList(self.LOCKS)
        assert len(locks) == 4
        assert list(locks) == self.LOCKS
        assert list(reversed(locks)) == self.LOCKS[::-1]
        assert locks[0] == self.LOCKS[0]
        assert locks[-1] == self.LOCKS[-1]
        assert locks[1:3] == tuple(self.LOCKS[1:3])
        assert self.LOCKS[2] in locks
        for index in (4, -5):
            with pytest.raises(IndexError):
                locks[index]

    def test_empty(self):
        assert not LockList()
        assert LockList() == LockList([])
        assert list(LockList()) == []
        assert repr(LockList()) == "LockList([])"

    def test_copies(self):
        locks = LockList(iter(self.LOCKS))
        assert locks == LockList(locks) == eval(repr(locks)) == pickle.loads(pickle.dumps(locks))
        assert locks != LockList(self.LOCKS[:3])
        assert locks != self.LOCKS

    def test_immutable(self):
        locks = LockList(self.LOCKS)
        with pytest.raises(TypeError):
            locks[0] = self.LOCKS[1]
        locks[0].flock.l_start = 77
        assert locks[0].flock.l_start == 0

    def test_any_client_uid(self):
        assert LockList([LockEntry(Flock(), "ünï-\udcff")])[0].client_uid == "ünï-\udcff"
        with pytest.raises(ValueError):
            LockList([LockEntry(Flock(), "a\0b")])

    def test_rejects(self):
        for value in (1, [1], [Flock()], [self.LOCKS[0], None]):
            with pytest.raises(TypeError):
                LockList(value)


class TestGfidHelpers:
    TEXT = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
    HANDLE = f".glusterfs/6b/a7/{TEXT}"

    def test_null(self):
        assert Gfid.null() == Gfid() and not Gfid.null()

    def test_handle(self):
        assert Gfid(self.TEXT).handle == self.HANDLE
        assert Gfid.root().handle == ".glusterfs/00/00/00000000-0000-0000-0000-000000000001"

    @pytest.mark.parametrize("path", [HANDLE, f"/bricks/b/{HANDLE}", os.fsencode(HANDLE), Path("/b") / HANDLE])
    def test_from_handle(self, path):
        assert Gfid.from_handle(path) == Gfid(self.TEXT)

    @pytest.mark.parametrize("path", [
        "", TEXT, f"6b/a7/{TEXT}", f".glusterfs/6b/a8/{TEXT}", f"x.glusterfs/6b/a7/{TEXT}", f".glusterfs/6b/a7/{TEXT}/",
        f".glusterfs/6B/A7/{TEXT.upper()}", ".glusterfs/6b/a7/6ba7b810", f".glusterfs/6b/a7/{'z' * 36}",
    ])
    def test_other_paths(self, path):
        with pytest.raises(ValueError, match="does not end in"):
            Gfid.from_handle(path)

    def test_no_path(self):
        with pytest.raises(TypeError):
            Gfid.from_handle(3)
        with pytest.raises(ValueError):
            Gfid.from_handle("a\0b")

    def test_ino(self):
        assert Gfid.root().ino == 1
        assert Gfid(bytes(range(16))).ino == int.from_bytes(bytes(range(8, 16)), "big")


class TestMdata:
    def test_fields(self):
        times = Mdata(ia_mtime=-5, ia_ctime_nsec=999_999_999)
        assert (times.ia_mtime, times.ia_ctime_nsec, times.ia_atime) == (-5, 999_999_999, 0)
        assert times.replace(ia_atime=1) == Mdata(ia_mtime=-5, ia_ctime_nsec=999_999_999, ia_atime=1)
        assert copy.copy(times) == pickle.loads(pickle.dumps(times)) == times
        with pytest.raises(OverflowError):
            Mdata(ia_atime_nsec=-1)
        with pytest.raises(TypeError, match="no field"):
            Mdata(ia_btime=1)


class TestIaType:
    FILES = {
        IaType.IFREG: "file", IaType.IFDIR: "dir", IaType.IFLNK: "link", IaType.IFIFO: "fifo", IaType.IFSOCK: "sock",
    }

    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "file").touch()
        (tmp_path / "dir").mkdir()
        (tmp_path / "link").symlink_to("nowhere")
        os.mkfifo(tmp_path / "fifo")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "sock"))
        return tmp_path

    def test_real_files(self, folder):
        """As stat() and readdir() name them, and as GlusterFS's own conversion does."""
        types = {name: kind for kind, name in self.FILES.items()}
        for name, kind in types.items():
            result = os.lstat(folder / name)
            assert IaType.from_mode(result.st_mode) is kind
            assert Iatt.from_stat(result).ia_type == kind
            assert stat.S_IFMT(result.st_mode) == kind.mode

    def test_all(self):
        for kind in IaType:
            assert IaType.from_mode(kind.mode | 0o7777) is kind
            assert IaType.from_d_type(kind.d_type) is kind
            assert stat.S_IFMT(Iatt(ia_type=kind, ia_prot=0o644).mode) == kind.mode
        assert IaType.from_mode(0o170000) is IaType.from_d_type(15) is IaType.INVAL
        assert [kind.d_type for kind in IaType] == [0, 8, 4, 10, 6, 2, 1, 12]
