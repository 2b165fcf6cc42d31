"""The folder of a report: made by one run at a time, and there as a whole or not at all.

Work happens in a hidden folder beside the target, on the same disk; a finished run moves the old report aside and its
own into the place. A run that is killed leaves the old report where it was, or aside; the next run puts that right.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from khaosat.errors import WorkspaceError
from khaosat.facts.language import say

FAILED = "_failed"


@contextmanager
def held(target: Path) -> Iterator[None]:
    """Be the only run that makes a folder; what a run that was killed has left is put right first.

    Raises
    ------
    WorkspaceError
        Another run is at it, or the disk is full or may not be written.
    """
    import filelock

    with written(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(target.parent / f".{target.name}.lock", timeout=0)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            text = say("another run is building {folder}; wait for it to end", folder=target)
            raise WorkspaceError(text) from error
        try:
            _recover(target)
            yield
        finally:
            lock.release()


@contextmanager
def written(folder: Path) -> Iterator[None]:
    """Say in words when a folder of reports cannot be written."""
    try:
        yield
    except OSError as error:
        text = say(
            "{folder} cannot be written ({reason}); the last good report is as it was. Check the disk's free space and "
            "the folder's permissions, and try again.",
            folder=folder,
            reason=error,
        )
        raise WorkspaceError(text) from error


def _recover(target: Path) -> None:
    """Bring back the report that a run killed between two renames had moved aside; remove what it was making."""
    old = _old(target)
    if old.exists() and not target.exists():
        old.rename(target)
    for left in target.parent.iterdir():
        if left.is_dir() and left.name.startswith(f".{target.name}."):
            shutil.rmtree(left)


def _old(target: Path) -> Path:
    return target.parent / f".{target.name}.old"


@contextmanager
def swapped_in(target: Path) -> Iterator[Path]:
    """A folder to work in that takes the target's place when the block ends well and is kept aside when it does not."""
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    old = _old(target)
    try:
        yield work
    except BaseException:
        failed = target.parent / FAILED / target.name
        shutil.rmtree(failed, ignore_errors=True)
        failed.parent.mkdir(exist_ok=True)
        work.rename(failed)
        raise
    work.chmod(0o755)  # mkdtemp makes 0700: nobody else could read the report
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    work.rename(target)
    shutil.rmtree(old, ignore_errors=True)
