"""The FastAPI application: its routes, and what runs beside them."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from seedbed.models.parallel import one_blas_thread
from seedbed.serving.http.current import TICK, Current, Served
from seedbed.serving.http.explaining import explain_rows
from seedbed.serving.http.gate import GONE, Gate
from seedbed.serving.http.logs import log_as_json
from seedbed.serving.http.metrics import FOLDER, Metrics
from seedbed.serving.http.openapi import describe
from seedbed.serving.http.page import page, page_data
from seedbed.serving.http.predicting import predict
from seedbed.serving.http.prediction_log import PredictionLog
from seedbed.serving.http.refusals import FAILED, Refusal
from seedbed.serving.http.service import JSON, Service
from seedbed.serving.http.settings import Settings
from seedbed.serving.http.shadow import Shadow
from seedbed.serving.http.watching import Watch

SWITCH = 0.001
"""Seconds for which a thread that counts or writes may keep the event loop waiting."""
Route = Callable[[Service, Request], Awaitable[Response]]


def make_app(settings: Settings) -> Gate:
    """Return the application that serves a bundle, as uvicorn takes it."""
    log_as_json()
    sys.setswitchinterval(SWITCH)
    metrics = Metrics()
    same_packages, noted = settings.same_packages, metrics.note_bundle
    current = Current(settings.path, same_packages, partial(noted, "served"))
    service = Service(settings, metrics, current)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        watching = [
            asyncio.create_task(current.watch()),
            asyncio.create_task(service.keep_flushing()),
        ]
        if settings.workers > 1:
            watching.append(asyncio.create_task(_stop_with(os.getppid())))
        if settings.shadow:
            other = Current(settings.shadow, same_packages, partial(noted, "shadow"))
            service.shadow = Shadow(other, metrics)
            watching += [
                asyncio.create_task(task) for task in (other.watch(), service.shadow.run())
            ]
        if settings.watch:
            service.watch = _watch(settings.watch, current)
            metrics.add(service.watch)
        await current.wait()  # a worker that has no bundle takes no requests
        if settings.log:
            service.log = PredictionLog(settings.log, metrics)
        with one_blas_thread(openmp=None):  # held all the time, it costs a request nothing
            yield
        for task in watching:
            task.cancel()
        if service.log:
            await service.log.close()
        if service.watch:
            await service.in_thread(service.watch.close)

    app = FastAPI(title="seedbed", openapi_url=None, lifespan=lifespan)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(HTTPException, _not_found)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _refused)
    for path, (method, route) in ROUTES.items():
        app.add_route(path, _bound(route, service), methods=[method])
    return Gate(app, settings, metrics, frozenset(ROUTES), {"/predict": _bound(predict, service)})


def _watch(minutes: float, current: Current) -> Watch:
    folder = os.environ.get(FOLDER)
    return Watch(
        minutes,
        lambda: current.served.bundle if current.served else None,
        Path(folder) if folder else None,
    )


async def _stop_with(parent: int) -> None:
    """Stop this worker when its parent is gone: nobody else would."""
    while os.getppid() == parent:
        await asyncio.sleep(TICK)
    os.kill(os.getpid(), signal.SIGTERM)


async def health(_service: Service, _request: Request) -> Response:
    """Answer as long as the process is alive."""
    return _json({"status": "alive"})


async def ready(service: Service, _request: Request) -> Response:
    """Answer once a bundle is loaded."""
    return _json({"status": "ready", "model": service.served.model})


async def metadata(service: Service, _request: Request) -> Response:
    """Tell what the bundle is: signature, metrics, packages, how it was made."""
    return _json(about(service.served))


async def figures(service: Service, _request: Request) -> Response:
    """Give Prometheus its figures."""
    service.flush()
    return Response(service.metrics.write(), media_type="text/plain; version=0.0.4")


async def openapi(service: Service, _request: Request) -> Response:
    """Describe the routes, with columns and examples of the bundle that is served."""
    return _json(describe(service.served.bundle, service.settings))


def about(served: Served) -> dict[str, Any]:
    """Return what /metadata answers."""
    bundle = served.bundle
    recipe = bundle.recipe.to_dict()
    return {
        "model": served.model,
        "problem": recipe["problem"],
        "signature": recipe["signature"],
        "decision": recipe["decision"],
        "features": recipe["features"],
        "packages": bundle.packages,
        "metrics": bundle.metrics,
    }


def _bound(route: Route, service: Service) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return await route(service, request)

    return endpoint


def _json(value: Any) -> Response:
    return Response(orjson.dumps(value), media_type=JSON)


ROUTES: dict[str, tuple[str, Route]] = {
    "/": ("GET", page),
    "/page.json": ("GET", page_data),
    "/predict": ("POST", predict),
    "/explain": ("POST", explain_rows),
    "/health": ("GET", health),
    "/ready": ("GET", ready),
    "/metadata": ("GET", metadata),
    "/metrics": ("GET", figures),
    "/openapi.json": ("GET", openapi),
}
"""The method and the function of each path."""


async def _refused(request: Request, error: Exception) -> Response:
    refusal = error if isinstance(error, Refusal) else FAILED
    return refusal.response(request.scope["state"]["record"])


async def _not_found(request: Request, error: Exception) -> Response:
    """Answer what FastAPI itself refuses: another path, another method."""
    assert isinstance(error, HTTPException)
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    refusal = Refusal(error.status_code, "path", f"{error.detail}.", "the paths in /openapi.json")
    refusal.headers |= headers
    return refusal.response(request.scope["state"]["record"])


async def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=GONE)
