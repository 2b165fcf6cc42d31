"""Whether a finished report is whole: every file as it was written, and of the kind its name says."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from khaosat.facts.language import say
from khaosat.report.manifest import digest
from khaosat.report.runner import FILES, MANIFEST


def damage(folder: Path) -> list[str]:
    """What is wrong with a report, in words; empty if nothing is.

    Parameters
    ----------
    folder
        Of the report, with its ``manifest.json``.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        outputs = manifest["outputs"]
    except (OSError, ValueError, KeyError):
        return [say("{folder} holds no finished report", folder=folder.name)]
    wanted = () if "sheets" in manifest else tuple(FILES.values())  # sheets of many units lie in folders of their own
    lost = [name for name in (*wanted, *outputs) if not (folder / name).is_file()]
    if lost:
        return [say("{file} is missing", file=name) for name in dict.fromkeys(lost)]
    without = [say("the sheet of {unit} could not be made", unit=unit) for unit in manifest.get("failed", ())]
    changed = [name for name, checksum in outputs.items() if digest(folder / name) != checksum]
    broken = [name for name in outputs if Path(name).name in FILES.values() and not _is_whole(folder / name)]
    return (
        without
        + [say("{file} was changed after it was written", file=name) for name in changed]
        + [say("{file} cannot be opened", file=name) for name in broken]
    )


def _is_whole(path: Path) -> bool:
    if path.suffix in (".docx", ".xlsx"):
        try:
            with zipfile.ZipFile(path) as archive:
                return archive.testzip() is None
        except zipfile.BadZipFile:
            return False
    content = path.read_bytes()
    if path.suffix == ".pdf":
        return content.startswith(b"%PDF-") and b"%%EOF" in content[-64:]
    return content.rstrip().endswith(b"</html>")
