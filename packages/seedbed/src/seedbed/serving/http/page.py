"""The page at /: a form made from the signature, the prediction, why, and a file to be scored.

The document itself is the same whatever the bundle and needs no token. What it shows of the bundle
it fetches from /page.json, with the token that a person types in.
"""

from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from seedbed.pages import STYLE, allow
from seedbed.serving.bundle import Bundle
from seedbed.serving.http.service import JSON, Service

PARTS = Path(__file__).with_name("browser")
SCRIPTS = ("base", "form", "answer", "file", "card", "start")


def _document() -> tuple[bytes, str]:
    """Return the page with its style and script inside, and the policy that allows just these."""
    style = STYLE + (PARTS / "style.css").read_text("utf-8")
    script = "\n".join((PARTS / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    page = (PARTS / "page.html").read_text("utf-8")
    page = page.replace("/* style.css */", style).replace("/* scripts */", script)
    policy = {
        "default-src": "'none'",
        "style-src": allow(style),
        "script-src": allow(script),
        "connect-src": "'self'",
        "img-src": "data:",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    return page.encode(), "; ".join(f"{name} {value}" for name, value in policy.items())


DOCUMENT, POLICY = _document()
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


async def page(_service: Service, _request: Request) -> Response:
    """Give a browser the page."""
    return Response(DOCUMENT, headers=HEADERS, media_type="text/html; charset=utf-8")


async def page_data(service: Service, _request: Request) -> Response:
    """Give the page what it shows of the bundle."""
    served, settings = service.served, service.settings
    limits = {"max_bytes": settings.max_bytes, "max_rows": settings.max_rows}
    body = orjson.dumps({"model": served.model, **describe_form(served.bundle), **limits})
    return Response(body, media_type=JSON)


def describe_form(bundle: Bundle) -> dict[str, Any]:
    """Return the question, the columns to fill in, rows to begin with, and the model card."""
    problem, decision = bundle.recipe.problem, bundle.recipe.decision
    return {
        "question": problem.question,
        "task": decision.task,
        "classes": decision.classes,
        "threshold": decision.threshold,
        **bundle.signature.model_dump(mode="json"),
        "samples": bundle.samples.rows,
        "card": bundle.card,
    }
