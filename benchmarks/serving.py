"""How many requests `seedbed serve` answers, beside an empty route and beside other servers.

    .venv/bin/python benchmarks/serving.py [--bundle models/bundle] [--rounds 3] [--seconds 4]
    .venv/bin/python benchmarks/serving.py --beside bentoml mlflow
    .venv/bin/python benchmarks/serving.py --kept [--rounds 9]
    .venv/bin/python benchmarks/serving.py --load 600 --second OTHER_BUNDLE

One worker, one row a request, asked by wrk (Debian's package `wrk`) at 1, 8 and 64 connections; the
sides take turns. `empty` is a route of FastAPI on the same server, whose body is read and parsed in
the same way; `bare` is uvicorn with an ASGI function that parses the body and does nothing else.
The others are installed by uv into a temporary folder, with the same pandas, scikit-learn and
NumPy, and are given the same pipeline and one row of features: cleaning and features they leave
out. --kept compares servers with --log, and with --watch, with one that has neither. --load asks at
64 connections, kills a worker and changes the champion now and then, and
compares each answer with what the bundle says that it names.
"""

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from measuring import ROOT, run

sys.path.append(str(ROOT / "packages/seedbed/tests"))

CONNECTIONS = (1, 8, 64)
WARM = 1
"""Seconds that each side is asked before it is measured."""
STARTED_WITHIN = 120
HERE = Path(__file__).parent
PINNED = [f"{name}=={version(name)}" for name in ("pandas", "scikit-learn", "numpy")]
LUA = """wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
local file = io.open("%s"); wrk.body = file:read("*a"); file:close()
"""
KEPT = {"log": ["--log", "kept"], "watch": ["--watch", "10"], "neither": []}
"""Options of the servers that --kept compares."""
EMPTY = """
import sys
from pathlib import Path
from fastapi import FastAPI, Request, Response
from seedbed.serving.http import app, server
from seedbed.serving.http.settings import Settings

async def empty(service, request):
    await service.receive_rows(request, service.served)
    return Response(b'{"answers":[]}', media_type="application/json")

app.ROUTES["/empty"] = ("POST", empty)
server.serve(Settings(Path(sys.argv[1]), port=int(sys.argv[2])))
"""
BARE = """
import sys
import orjson
import uvicorn

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    orjson.loads(body or b"{}")
    headers = [(b"content-type", b"application/json"), (b"content-length", b"14")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"answers":[]}'})

uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="error")
"""
BENTOML = """
import bentoml, joblib, pandas as pd

@bentoml.service(workers=1)
class Model:
    def __init__(self) -> None:
        self.pipeline = joblib.load("pipeline.joblib")

    @bentoml.api
    def predict(self, rows: list[dict]) -> list[float]:
        return self.pipeline.predict_proba(pd.DataFrame(rows))[:, -1].tolist()
"""
MLFLOW = """
import joblib, mlflow
pipeline = joblib.load("pipeline.joblib")
mlflow.sklearn.save_model(pipeline, "model", serialization_format="cloudpickle",
                          pyfunc_predict_fn="predict_proba")
"""


@dataclass
class Side:
    """Where one of those that are compared is asked, and with which body."""

    name: str
    url: str
    body: Path


@dataclass
class Figures:
    """What wrk measured."""

    rate: float
    half: float
    most: float


def measure(side: Side, connections: int, seconds: float, folder: Path) -> Figures:
    """Ask a side for some seconds; rates are per second, times in milliseconds."""
    script = folder / f"{side.body.stem}.lua"
    script.write_text(LUA % side.body, encoding="utf-8")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency", "-s", str(script)]
    printed = run([*command, side.url], folder)
    if "Non-2xx" in printed:
        sys.exit(f"{side.url} refused:\n{printed}")
    found = {key: _read(printed, key) for key in ("Requests/sec:", "50%", "99%")}
    return Figures(found["Requests/sec:"], found["50%"] * 1000, found["99%"] * 1000)


def _read(printed: str, key: str) -> float:
    """Return a figure of wrk; times in seconds."""
    text, unit = re.search(rf"{re.escape(key)}\s+([\d.]+)(us|ms|s|)", printed).groups()
    return float(text) * {"us": 1e-6, "ms": 1e-3}.get(unit, 1)


@contextmanager
def process(command: list[str], folder: Path, url: str, **environment: str) -> Iterator[None]:
    """Run a server until the end of the block; wait until it answers."""
    from support import started

    log = folder / "log"
    with started(command, log, folder, **environment) as server:
        deadline = time.monotonic() + STARTED_WITHIN
        while subprocess.run(["curl", "-so", "/dev/null", url], check=False).returncode:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"{' '.join(command)} did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.2)
        try:
            yield
        finally:  # BentoML's workers are in process groups of their own
            for child in psutil.Process(server.pid).children(recursive=True):
                child.kill()


def ours(stack: ExitStack, bundle: Path, folder: Path) -> list[Side]:
    """Start the server of a bundle with an empty route, and the bare one."""
    from servers import free_port

    body, urls = _row(bundle, folder), []
    for name, text in (("ours", EMPTY), ("bare", BARE)):
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
        port = str(free_port())
        urls.append(f"http://127.0.0.1:{port}")
        command = [sys.executable, f"{name}.py", str(bundle), port]
        stack.enter_context(process(command, folder, f"{urls[-1]}/health"))
    return [
        Side("/predict", f"{urls[0]}/predict", body),
        Side("empty", f"{urls[0]}/empty", body),
        Side("bare", urls[1], body),
    ]


def kept(stack: ExitStack, bundle: Path, folder: Path) -> list[Side]:
    """Start servers that differ in what they keep of requests."""
    from servers import free_port

    sides = []
    for name, options in KEPT.items():
        port = str(free_port())
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "seedbed", "serve", str(bundle), "--port", port, *options]
        stack.enter_context(process(command, folder, f"{url}/health"))
        sides.append(Side(name, f"{url}/predict", _row(bundle, folder)))
    return sides


def _row(bundle: Path, folder: Path) -> Path:
    """Write a row to ask about."""
    body = folder / "row.json"
    samples = json.loads((bundle / "samples.json").read_text(encoding="utf-8"))
    body.write_text(json.dumps({"rows": samples["rows"][:1]}), encoding="utf-8")
    return body


def others(stack: ExitStack, names: list[str], bundle: Path, folder: Path) -> list[Side]:
    """Install other servers, each into a folder of its own, and start them with the pipeline."""
    from servers import free_port

    features = _write_pipeline(bundle, folder)
    sides = []
    for name in names:
        environment = folder / name
        python = environment / "bin/python"
        uv = str(Path(sys.executable).with_name("uv"))
        run([uv, "venv", "--quiet", "--python", sys.executable, str(environment)], folder)
        run([uv, "pip", "install", "--quiet", "--python", str(python), name, *PINNED], folder)
        asked = [str(python), "-c", f"import {name}; print({name}.__version__)"]
        print(f"{name} {run(asked, folder).strip()}")
        path, port = str(ROOT / "packages/seedbed/src"), str(free_port())
        body = folder / f"{name}.json"
        if name == "bentoml":
            (folder / "bento.py").write_text(BENTOML, encoding="utf-8")
            command = ["bentoml", "serve", "bento:Model", "--port", port, "--host", "127.0.0.1"]
            body.write_text(json.dumps({"rows": features}), encoding="utf-8")
            route, alive = "/predict", "/livez"
        else:
            run([str(python), "-c", MLFLOW], folder, PYTHONPATH=path)
            command = ["mlflow", "models", "serve", "-m", "model", "--env-manager", "local"]
            command += ["--port", port, "--workers", "1"]
            body.write_text(json.dumps({"dataframe_records": features}), encoding="utf-8")
            route, alive = "/invocations", "/ping"
        command[0] = str(environment / "bin" / command[0])
        url = f"http://127.0.0.1:{port}"
        on_path = f"{environment / 'bin'}:/usr/bin:/bin"
        # One row is no work for several threads: without this they wait for each other.
        few = {"PYTHONPATH": path, "PATH": on_path, "OMP_NUM_THREADS": "1"}
        stack.enter_context(process(command, folder, f"{url}{alive}", **few))
        sides.append(Side(name, f"{url}{route}", body))
    return sides


def _write_pipeline(bundle: Path, folder: Path) -> list[dict[str, Any]]:
    """Write the pipeline for others to load; return the features of a sample row."""
    import joblib

    from seedbed.data.features import feature_makers, make_features
    from seedbed.models.features import feature_frame
    from seedbed.serving import load_bundle

    loaded = load_bundle(bundle)
    joblib.dump(loaded.pipeline, folder / "pipeline.joblib")
    recipe = loaded.recipe
    cleaned = loaded.check(loaded.samples.rows[:1]).cleaned
    made = make_features(cleaned, feature_makers(recipe.columns, recipe.features))
    return json.loads(feature_frame(made, recipe.decision.features).to_json(orient="records"))


def compare(sides: list[Side], rounds: int, seconds: float, folder: Path) -> None:
    """Measure all sides in turns; print medians, and the first one's share of each."""
    for connections in CONNECTIONS:
        for side in sides:
            measure(side, connections, WARM, folder)
        found: dict[str, list[Figures]] = {side.name: [] for side in sides}
        for number in range(rounds):
            for side in sides if number % 2 else reversed(sides):
                found[side.name].append(measure(side, connections, seconds, folder))
        first = found[sides[0].name]
        for name, figures in found.items():
            rate, half, most = (
                statistics.median(getattr(figure, part) for figure in figures)
                for part in ("rate", "half", "most")
            )
            shares = [our.rate / max(its.rate, 1) for our, its in zip(first, figures, strict=True)]
            print(
                f"{connections:3} connections  {name:9} {rate:8.0f} requests/s   p50 {half:7.3f} ms"
                f"   p99 {most:7.2f} ms   {sides[0].name} is {statistics.median(shares):.2f} of it"
                f" ({min(shares):.2f} to {max(shares):.2f})",
                flush=True,
            )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--bundle", type=Path, default=ROOT / "models/bundle")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--beside", nargs="*", default=[], choices=["bentoml", "mlflow"])
    parser.add_argument("--kept", action="store_true")
    parser.add_argument("--load", type=float, metavar="SECONDS")
    parser.add_argument("--second", type=Path, help="the bundle that takes turns with --bundle")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        if options.load:
            from http_load import load

            if options.second is None:
                sys.exit("--load needs --second, another bundle on the same dataset")
            bundles = (options.bundle, options.second)
            report = load(bundles, folder, options.load, kill_every=60, change_every=120)
            print("\n".join(report.lines()))
            return
        if shutil.which("wrk") is None:
            sys.exit("wrk is not there: apt-get install wrk")
        if options.kept:
            *keeping, plain = kept(stack, options.bundle.resolve(), folder)
            for side in keeping:
                compare([side, plain], options.rounds, options.seconds, folder)
            return
        sides = ours(stack, options.bundle.resolve(), folder)
        if options.beside:
            sides = [sides[0], *others(stack, options.beside, options.bundle.resolve(), folder)]
        compare(sides, options.rounds, options.seconds, folder)


if __name__ == "__main__":
    main()
