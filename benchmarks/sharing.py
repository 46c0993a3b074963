"""What `seedbed push` and `seedbed pull` cost beside plain `dvc push`, `git push`, `git pull` and `dvc pull`, taking turns.

.venv/bin/python benchmarks/sharing.py [--rounds 5] [--s3] [--only small|large]. Works in a temporary folder, on a repository of
its own: 5,000 small files, and one file of 1 GB. The plain side is there twice: with the remote as `make remote` sets it up, which
has `verify`, by which DVC compares hashes when it fetches, as seedbed always does; and without that. Only seedbed moves the run
cache, too. How long it takes to read and hash the large file, with nothing else, is told beside it.
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from measuring import ROOT, ratios, run, seconds, spread

SMALL_FILES = 5000
LARGE = 1_000_000_000
BIN = Path(sys.executable).parent
Commands = dict[str, list[list[str]]]
Place = tuple[str, list[str], dict[str, str]]
SEEDBED = {"push": [["seedbed", "push"]], "pull": [["seedbed", "pull"]]}
PLAIN = {
    "push": [["dvc", "push", "--quiet"], ["git", "push", "--quiet", "-u", "origin", "main"]],
    "pull": [["git", "pull", "--quiet", "--ff-only"], ["dvc", "pull", "--quiet"]],
}
SIDES: dict[str, tuple[Commands, bool]] = {
    "seedbed": (SEEDBED, True), "plain": (PLAIN, True), "no verify": (PLAIN, False),
}  # fmt: skip
"""The commands, and whether the remote has `verify`."""


HASH = [
    sys.executable,
    "-c",
    "import hashlib; hashlib.file_digest(open('files/large', 'rb'), 'md5')",
]


@contextmanager
def place(folder: Path, s3: bool) -> Iterator[Place]:
    """Yield where data go, the options and the environment for it."""
    if not s3:
        yield str(folder / "store"), [], {}
        return
    sys.path.insert(0, str(ROOT / "tests"))
    from servers import s3_place

    with s3_place(folder / "s3") as found:
        yield found.url, found.options, found.environment


def made(folder: Path, large: bool, scale: float = 1) -> Path:
    """Make a repository with the files, tracked and committed, and a stage."""
    root = folder / "made"
    (root / "files").mkdir(parents=True)
    (root / "conf").mkdir()
    (root / "conf/config.yaml").write_text("a: 1\n", encoding="utf-8")
    if large:
        with (root / "files/large").open("wb") as file:
            for _ in range(round(scale * LARGE / 10_000_000)):
                file.write(os.urandom(10_000_000))
    else:
        for number in range(round(scale * SMALL_FILES)):
            (root / f"files/{number}").write_text(f"{number} " * 100, encoding="utf-8")
    (root / "dvc.yaml").write_text(
        "stages:\n  one:\n    cmd: ls files > names.txt\n    deps: [files]\n    outs: [names.txt]\n",
        encoding="utf-8",
    )
    run(["git", "init", "--quiet", "-b", "main"], root)
    for key, value in (("user.name", "Benchmark"), ("user.email", "benchmark@example.org")):
        run(["git", "config", key, value], root)
    for words in (["init"], ["add", "files"], ["repro"]):
        run(
            [str(BIN / "dvc"), *words, "--quiet"],
            root,
            DVC_SITE_CACHE_DIR=str(folder / "site/here"),
        )
    return root


def timed(commands: list[list[str]], root: Path, environment: dict[str, str]) -> float:
    """Time commands one after the other, on a disk that has written what came before."""
    os.sync()
    found = [
        [str(BIN / words[0]) if words[0] in ("dvc", "seedbed") else words[0], *words[1:]]
        for words in commands
    ]
    return sum(seconds(words, root, **environment) for words in found)


def forget(folder: Path, root: Path) -> None:
    """Empty the remotes, and what DVC remembers of them."""
    for path in (folder / "store", folder / "git", folder / "other", folder / "site/other"):
        shutil.rmtree(path, ignore_errors=True)
    run(["git", "init", "--quiet", "--bare", "-b", "main", str(folder / "git")], folder)
    for remembered in (folder / "site").glob("**/index"):
        shutil.rmtree(remembered)
    run(["git", "update-ref", "-d", "refs/remotes/origin/main"], root)


def measured(folder: Path, root: Path, side: str, at: Place) -> dict[str, float]:
    """Push into empty remotes, clone, and pull; then both again with nothing to do."""
    url, options, access = at
    commands, verify = SIDES[side]
    forget(folder, root)
    here = {**access, "DVC_SITE_CACHE_DIR": str(folder / "site/here")}
    there = {**access, "DVC_SITE_CACHE_DIR": str(folder / "site/other")}
    # A new prefix each time stands for an empty bucket.
    target = f"{url}{len(os.listdir(folder))}{os.urandom(4).hex()}" if url.startswith("s3") else url  # noqa: PTH208
    run([str(BIN / "seedbed"), "remote", target, *options], root, **here)
    run(
        [str(BIN / "dvc"), "remote", "modify", "storage", "verify", str(verify).lower()],
        root,
        **here,
    )
    run(["git", "add", "--all"], root)
    run(["git", "commit", "--quiet", "--allow-empty", "-m", "a place for data"], root)
    found = {"push": timed(commands["push"], root, here)}
    run(["git", "clone", "--quiet", str(folder / "git"), str(folder / "other")], folder)
    found["pull"] = timed(commands["pull"], folder / "other", there)
    found["push, nothing new"] = timed(commands["push"], root, here)
    found["pull, nothing new"] = timed(commands["pull"], folder / "other", there)
    return found


def compare(folder: Path, load: str, chosen: argparse.Namespace) -> None:
    """Let the sides take turns, each as often first as the others, and print what they took."""
    root = made(folder, load == "large", chosen.scale)
    run(["git", "remote", "add", "origin", str(folder / "git")], root)
    sides = list(SIDES)
    taken: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    hashing: list[float] = []
    with place(folder, chosen.s3) as at:
        for number in range(chosen.rounds):
            first = number % len(sides)
            for side in sides[first:] + sides[:first]:
                taken[side].append(measured(folder, root, side, at))
            if load == "large":
                hashing.append(seconds(HASH, root))
    what = (
        f"one file of {LARGE * chosen.scale / 1e9:g} GB"
        if load == "large"
        else f"{SMALL_FILES * chosen.scale:g} small files"
    )
    print(f"\n{what}, {'S3' if chosen.s3 else 'a directory'}")
    if hashing:
        print(f"  to read and hash it takes{spread(hashing)}")
    for name in taken["seedbed"][0]:
        times = {side: [found[name] for found in taken[side]] for side in sides}
        print(f"  {name}")
        for side in sides:
            ratio = (
                ""
                if side == "seedbed"
                else f"  seedbed takes {ratios(times['seedbed'], times[side]).strip()} times"
            )
            print(f"    {side:14}{spread(times[side])}{ratio}", flush=True)


def main() -> None:
    """Take the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often the sides take turns (default: 5)"
    )
    parser.add_argument(
        "--s3", action="store_true", help="to a local S3 server instead of a directory"
    )
    parser.add_argument("--only", choices=["small", "large"], help="one of the two loads")
    parser.add_argument(
        "--scale",
        type=float,
        default=1,
        help="share of the load, to see that it works (default: 1)",
    )
    chosen = parser.parse_args()
    for load in ("small", "large"):
        if chosen.only in (None, load):
            with tempfile.TemporaryDirectory() as folder:
                compare(Path(folder), load, chosen)


if __name__ == "__main__":
    main()
