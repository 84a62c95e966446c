import platform
import subprocess
import sys

import pytest

from RetinaTriageLib.inference import allocator


def test_other_c_libraries_are_left_alone(monkeypatch):
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert allocator.keep_freed_memory() is False


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs the GNU C library")
def test_gnu_c_library_takes_the_setting():
    # In a process of its own: the setting cannot be taken back.
    code = "from RetinaTriageLib.inference.allocator import keep_freed_memory as k; assert k()"
    subprocess.run([sys.executable, "-c", code], check=True)
