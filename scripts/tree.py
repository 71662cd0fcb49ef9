"""Which files are the project: what git tracks, and what it would if it were added now."""

import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent


def project_files(*patterns: str) -> list[Path]:
    """Give the existing files that match (`"*.md"`; all without a pattern), in order."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *patterns]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    files = {ROOT / name for name in listed.split("\0") if name}
    return sorted(file for file in files if file.is_file())
