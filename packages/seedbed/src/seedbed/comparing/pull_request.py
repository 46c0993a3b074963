"""The report on a pull request: how a work tree differs from the branch it would go into."""

import html
from dataclasses import replace
from pathlib import Path

import yaml

from seedbed.comparing.page import lacking, to_html
from seedbed.comparing.ranking import rank
from seedbed.comparing.revisions import plot_definitions, read_revision
from seedbed.config.repository import git, git_or_stop
from seedbed.config.yaml_files import load_yaml
from seedbed.files import write_text
from seedbed.registry.content import run_dvc

MARK = "<!-- seedbed: report on a pull request -->"
"""By which the comment of an earlier run is found again; it opens every report."""
REPORT, PAGE, STOPPED, UNCOMPARED = "report.md", "compare.html", "stopped.txt", "uncompared.txt"


def write_report(root: Path, target: str, folder: Path, link: str = "") -> None:
    """Write report.md, for a comment, and compare.html, with all plots.

    Parameters
    ----------
    root : Path
        Of the repository. What the graph wrote since the last commit counts.
    target : str
        A branch, tag or commit.
    folder : Path
        Where to write. A file stopped.txt in it holds the last lines of a pipeline that stopped;
        uncompared.txt is there where the champion could not be fetched.
    link : str
        Address of the page, where it will be kept.
    """
    # A snapshot of what Git tracks; nothing is printed where nothing changed.
    commit = git_or_stop(root, "stash", "create") or "HEAD"
    before = replace(read_revision(root, target), name=target.removeprefix("origin/"))
    after = replace(read_revision(root, commit), name="this branch")
    ranking, revisions = rank([before, after]), [before, after]
    parts = [MARK, f"## What this branch changes against {before.name}", ranking.in_words()]
    if "gate.passed" in after.metrics:
        parts.append(f"Gate: **{after.metrics['gate.passed']}**. {html.escape(after.reason)}")
    if (folder / STOPPED).exists():
        lines = (folder / STOPPED).read_text(encoding="utf-8").strip()
        parts.append(f"**The pipeline stopped:**\n\n<pre>{html.escape(lines)}</pre>")
    if (folder / UNCOMPARED).exists():
        parts.append(
            "**Not compared: no access to the champion.** The stages up to evaluate ran; gate and "
            "package did not, and the gate's answer is the one that the branch has committed."
        )
    if stale := _stale_stages(root):
        parts.append(
            f"**dvc.lock of this branch is not in step:** {', '.join(stale)} ran here, and the "
            "figures below are of that run. Run `dvc repro`, and commit what it writes."
        )
    parts += lacking(revisions)
    parts.append(to_markdown(root, target, commit))
    changed = [path for path, value in after.data.items() if before.data.get(path) != value]
    parts.append(f"Data and models that differ: {', '.join(changed) or 'none'}.")
    if link:
        parts.append(f"The plots are in {PAGE} among the [artifacts of this run]({link}).")
    write_text(folder / REPORT, "\n\n".join(parts) + "\n")
    plots = plot_definitions(load_yaml(root / "dvc.yaml"))
    write_text(folder / PAGE, to_html(revisions, ranking, plots))


def to_markdown(root: Path, before: str, after: str) -> str:
    """Return DVC's tables of the metrics, and of the parameters that differ."""
    tables = {"Metrics": ["metrics", "diff", "--all"], "Parameters that differ": ["params", "diff"]}
    parts = []
    for title, words in tables.items():
        table = run_dvc(root, *words, "--md", "--no-path", before, after).strip()
        parts.append(f"### {title}\n\n{table or 'None.'}")
    return "\n\n".join(parts)


def _stale_stages(root: Path) -> list[str]:
    """Return the stages whose entry in dvc.lock is not the committed one."""
    locks = [git(root, "show", "HEAD:./dvc.lock") or "", (root / "dvc.lock").read_text("utf-8")]
    committed, now = ((yaml.safe_load(lock) or {}).get("stages", {}) for lock in locks)
    return [name for name, entry in now.items() if entry != committed.get(name)]
