"""The cards and reports of a repository: which there are, and which file an address names."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from seedbed.errors import one_line
from seedbed.files import read_json

REPORTS, MODELS = "reports", "models"
DATA_DOCS = "reports/validation/data_docs"
"""Great Expectations' own pages, to which its index.html links."""
SWEEPS = "reports/sweeps"


@dataclass(frozen=True)
class MonitorReport:
    """A report of `seedbed monitor`; `problem` says why its figures cannot be read."""

    path: str
    state: str = ""
    model: str = ""
    rows: int = 0
    reasons: tuple[str, ...] = ()
    problem: str = ""


def list_files(root: Path) -> list[tuple[str, str]]:
    """Return cards and reports, the newest first: the path below root, and when it was written."""
    docs, sweeps = root / DATA_DOCS, root / SWEEPS
    found = [
        *(root / MODELS).glob("*/MODEL_CARD.md"),
        *(
            path
            for path in (root / REPORTS).rglob("*")
            if (path.suffix in (".html", ".md") or path.is_relative_to(sweeps))
            and (path == docs / "index.html" or not path.is_relative_to(docs))
        ),
    ]
    written = [(path.stat().st_mtime, path) for path in found if path.is_file()]
    return [
        (path.relative_to(root).as_posix(), f"{datetime.fromtimestamp(moment):%Y-%m-%d %H:%M}")
        for moment, path in sorted(written, reverse=True)
    ]


def find_file(root: Path, address: str) -> Path | None:
    """Return the file below reports/ or below a folder of models/ that a path names, or None.

    Links count by where they lead: DVC may keep its outputs as links into its cache.
    """
    parts = PurePosixPath(address.lstrip("/")).parts
    if any(part.startswith(".") for part in parts):
        return None
    if parts[:1] != (REPORTS,) and (parts[:1] != (MODELS,) or len(parts) < 3):
        return None
    file = root.joinpath(*parts)
    allowed = [root.resolve() / name for name in (REPORTS, MODELS, ".dvc/cache")]
    try:
        within = any(file.resolve().is_relative_to(folder) for folder in allowed)
        return file if within and file.is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None


def monitor_reports(root: Path) -> list[MonitorReport]:
    """Return the reports of `seedbed monitor`: a page, and a .json file beside it."""
    found = []
    for page in sorted((root / REPORTS).rglob("*.html")):
        figures, path = page.with_suffix(".json"), page.relative_to(root).as_posix()
        if not figures.is_file():
            continue
        try:
            values = read_json(figures)
            if not isinstance(values, dict) or "state" not in values:
                continue  # another kind of report
            state, model = str(values["state"]).replace("_", " "), str(values["model"])
            rows, reasons = int(values["rows"]), tuple(map(str, values["reasons"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = f"{figures.relative_to(root)} is damaged ({one_line(error)})."
            found.append(MonitorReport(path, problem=f"{problem} Run `seedbed monitor` again."))
        else:
            found.append(MonitorReport(path, state, model, rows, reasons))
    return found
