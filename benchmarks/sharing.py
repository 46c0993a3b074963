"""What `seedbed push` and `seedbed pull` cost beside plain commands of DVC and Git, taking turns.

.venv/bin/python benchmarks/sharing.py [--rounds 5] [--s3] [--only small|large] [--scale 0.02]

Works in a temporary folder on a repository of its own: 5,000 small files, or one file of 1 GB. The
remote has `verify`, as `make remote` sets it. Only seedbed looks at tags and experiments, and moves
the run cache.
"""

import argparse
import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from measuring import ROOT, ratios, run, seconds, spread

SMALL_FILES = 5000
LARGE = 1_000_000_000
BIN = Path(sys.executable).parent
SIDES = {
    "seedbed": {"push": [["seedbed", "push"]], "pull": [["seedbed", "pull"]]},
    "plain": {
        "push": [["dvc", "push", "--quiet"], ["git", "push", "--quiet", "-u", "origin", "main"]],
        "pull": [["git", "pull", "--quiet", "--ff-only"], ["dvc", "pull", "--quiet"]],
    },
}
STAGE = "stages:\n  one:\n    cmd: ls files > names.txt\n    deps: [files]\n    outs: [names.txt]\n"


def make_repository(folder: Path, load: str, scale: float) -> Path:
    """Make a repository with the files, tracked and committed, and a stage."""
    root = folder / "made"
    (root / "files").mkdir(parents=True)
    (root / "conf").mkdir()
    (root / "conf/config.yaml").write_text("a: 1\n", encoding="utf-8")
    if load == "large":
        with (root / "files/large").open("wb") as file:
            for _ in range(round(scale * LARGE / 10_000_000)):
                file.write(os.urandom(10_000_000))
    else:
        for number in range(round(scale * SMALL_FILES)):
            (root / f"files/{number}").write_text(f"{number} " * 100, encoding="utf-8")
    (root / "dvc.yaml").write_text(STAGE, encoding="utf-8")
    run(["git", "init", "--quiet", "-b", "main"], root)
    run(["git", "config", "user.name", "Benchmark"], root)
    run(["git", "config", "user.email", "benchmark@example.org"], root)
    run(["git", "remote", "add", "origin", str(folder / "git")], root)
    site = {"DVC_SITE_CACHE_DIR": str(folder / "site/here")}
    for words in (["init"], ["add", "files"], ["repro"]):
        run([str(BIN / "dvc"), *words, "--quiet"], root, **site)
    return root


def timed(commands: list[list[str]], root: Path, environment: dict[str, str]) -> float:
    """Time commands one after the other, on a disk that has written what came before."""
    os.sync()
    found = [[shutil.which(name, path=BIN) or name, *words] for name, *words in commands]
    return sum(seconds(words, root, **environment) for words in found)


def measure(
    folder: Path, root: Path, side: str, remote: list[str], access: dict[str, str]
) -> dict[str, float]:
    """Push into empty remotes, clone, and pull; then both again with nothing new."""
    for path in ("store", "git", "other", "site/other"):
        shutil.rmtree(folder / path, ignore_errors=True)
    run(["git", "init", "--quiet", "--bare", "-b", "main", str(folder / "git")], folder)
    for remembered in (folder / "site").glob("**/index"):
        shutil.rmtree(remembered)
    run(["git", "update-ref", "-d", "refs/remotes/origin/main"], root)
    here = {**access, "DVC_SITE_CACHE_DIR": str(folder / "site/here")}
    there = {**access, "DVC_SITE_CACHE_DIR": str(folder / "site/other")}
    # A new prefix each time stands for an empty bucket.
    url = f"{remote[0]}{os.urandom(4).hex()}" if remote[0].startswith("s3") else remote[0]
    run([str(BIN / "seedbed"), "remote", url, *remote[1:]], root, **here)
    run(["git", "add", "--all"], root)
    run(["git", "commit", "--quiet", "--allow-empty", "-m", "a place for data"], root)
    commands, found = SIDES[side], {}
    found["push"] = timed(commands["push"], root, here)
    run(["git", "clone", "--quiet", str(folder / "git"), str(folder / "other")], folder)
    found["pull"] = timed(commands["pull"], folder / "other", there)
    found["push, nothing new"] = timed(commands["push"], root, here)
    found["pull, nothing new"] = timed(commands["pull"], folder / "other", there)
    return found


def compare(folder: Path, load: str, chosen: argparse.Namespace) -> None:
    """Let the sides take turns, each as often first as the other, and print what they took."""
    root = make_repository(folder, load, chosen.scale)
    taken: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    with ExitStack() as stack:
        remote, access = [str(folder / "store")], {}
        if chosen.s3:
            sys.path[:0] = [str(ROOT / "packages/seedbed" / part) for part in ("src", "tests")]
            from servers import s3_place

            place = stack.enter_context(s3_place(folder / "s3"))
            remote, access = [place.url, *place.options], place.environment
        for number in range(chosen.rounds):
            for side in list(SIDES)[:: -1 if number % 2 else 1]:
                taken[side].append(measure(folder, root, side, remote, access))
    what = "one file of 1 GB" if load == "large" else f"{SMALL_FILES} files"
    print(f"\n{what} times {chosen.scale:g}, {'S3' if chosen.s3 else 'a directory'}")
    for name in taken["plain"][0]:
        ours, plain = ([found[name] for found in taken[side]] for side in SIDES)
        print(f"  {name}\n    seedbed {spread(ours)}\n    plain   {spread(plain)}")
        print(f"    ratio   {ratios(ours, plain)}", flush=True)


def main() -> None:
    """Take the measurements and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns of each side (default: 5)")
    parser.add_argument("--s3", action="store_true", help="to a local S3 server, not a directory")
    parser.add_argument("--only", choices=["small", "large"], help="one of the two loads")
    parser.add_argument("--scale", type=float, default=1, help="share of the load (default: 1)")
    chosen = parser.parse_args()
    for load in ("small", "large"):
        if chosen.only in (None, load):
            with tempfile.TemporaryDirectory() as folder:
                compare(Path(folder), load, chosen)


if __name__ == "__main__":
    main()
