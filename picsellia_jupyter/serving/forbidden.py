"""The system calls that a model worker is refused, by name."""

from __future__ import annotations

from dataclasses import dataclass

Numbers = tuple["int | None", "int | None"]
"""On x86_64 and on aarch64; None where there is no such call."""

NUMBERS: dict[str, Numbers] = {
    # The network: what is inherited stays open, nothing new is opened.
    "socket": (41, 198), "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242),
    "bind": (49, 200), "listen": (50, 201),
    # Other programs, and processes that would outlive the worker.
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, None), "vfork": (58, None),
    # Other processes' memory, descriptors and life.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424), "tkill": (200, 130),
    # Landlock leaves alone what changes a file without opening it for writing.
    "truncate": (76, 45), "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53),
    "fchmodat2": (452, 452), "chown": (92, None), "lchown": (94, None), "fchown": (93, 55),
    "fchownat": (260, 54), "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "setxattrat": (463, 463), "removexattrat": (466, 466), "file_setattr": (469, 469),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None),
    "utimensat": (280, 88), "mknod": (133, None), "mknodat": (259, 33),
    "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    # What the tree of files looks like.
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "move_mount": (429, 429), "open_tree": (428, 428), "open_tree_attr": (467, 467),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "unshare": (272, 97), "setns": (308, 268),
    "fanotify_init": (300, 262), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    # Parts of the kernel that have been broken into, and that no model needs.
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280),
    "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "userfaultfd": (323, 282), "personality": (135, 92),
    "modify_ldt": (154, None), "vmsplice": (278, 75), "lookup_dcookie": (212, 18),
    # The machine itself.
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "syslog": (103, 116), "acct": (163, 89),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171),
    "clock_adjtime": (305, 266), "sethostname": (170, 161), "setdomainname": (171, 162),
    "iopl": (172, None), "ioperm": (173, None), "vhangup": (153, 58),
}  # fmt: skip
"""Answered with "not permitted"."""

ABSENT: dict[str, Numbers] = {"clone3": (435, 435), "openat2": (437, 437)}
"""Answered with "no such call": their flags lie where a filter cannot look, and every library
knows the older call, whose flags do not."""


@dataclass(frozen=True, slots=True)
class Argument:
    """A call that depends on bits of one argument."""

    numbers: Numbers
    index: int
    """Of the argument, from 0."""
    mask: int
    value: int
    allowed: bool
    """Whether the call is allowed where the masked argument is the value, or only elsewhere."""


_THREAD = 0x00010000
_STREAM = 1
_TRUNCATING_A_READ = 0x200
ARGUMENTS: dict[str, Argument] = {
    "clone, of anything but a thread": Argument((56, 220), 0, _THREAD, _THREAD, allowed=True),
    # Of datagram sockets, either end can send to any address.
    "socketpair, but for streams": Argument((53, 199), 1, 0xF, _STREAM, allowed=True),
    # Landlock before its third version does not see that this empties the file.
    "open, to truncate": Argument((2, None), 1, 0x203, _TRUNCATING_A_READ, allowed=False),
    "openat, to truncate": Argument((257, 56), 2, 0x203, _TRUNCATING_A_READ, allowed=False),
}

OTHER_PROCESSES: dict[str, Numbers] = {
    "kill": (62, 129), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "prlimit64": (302, 261),
}  # fmt: skip
"""Calls whose first argument must be this process."""

CARDS: dict[str, tuple[Argument, ...]] = {
    "socket": (
        Argument((41, 198), 0, 0xFFFFFFFF, 1, allowed=True),
        Argument((41, 198), 1, 0xF, 5, allowed=True),
    ),
    "bind": (), "listen": (),
}  # fmt: skip
"""Calls of `NUMBERS` that NVIDIA's driver does not start without, and what their arguments must be.

It listens on a local socket (AF_UNIX, SOCK_SEQPACKET) for other processes of its user that share
memory of the card. Nobody gets in: `accept` stays refused, and so does `connect`.
"""
