"""The description of the routes in OpenAPI, made from the signature of the bundle."""

from typing import Any

from seedbed.data.one_value import LARGEST
from seedbed.serving.bundle import Bundle
from seedbed.serving.explaining import MOST_ROWS
from seedbed.serving.http.gate import OPEN
from seedbed.serving.http.service import JSON
from seedbed.serving.http.settings import Settings
from seedbed.serving.http.tables import ARROW, CSV, PARQUET
from seedbed.serving.signature import InputColumn

Schema = dict[str, Any]
EXAMPLES = 2


def describe(bundle: Bundle, settings: Settings) -> Schema:
    """Return the OpenAPI description.

    Parameters
    ----------
    bundle : Bundle
        Gives the columns, and its sample rows as examples.
    settings : Settings
        Give the limits.
    """
    schemas = _schemas(bundle, settings)
    described: Schema = {
        "openapi": "3.1.0",
        "info": {
            "title": f"Predictions on {bundle.recipe.dataset}",
            "version": bundle.version,
            "description": f"At most {settings.max_rows:,} rows and {settings.max_bytes:,} bytes.",
        },
        "paths": {
            "/": {"get": _get("The page for people", kind="text/html")},
            "/page.json": {"get": _get("What that page shows of the bundle", "503")},
            "/predict": {"post": _predict(bundle)},
            "/explain": {"post": _explain(bundle)},
            "/health": {"get": _get("Answers as long as the process is alive")},
            "/ready": {"get": _get("Answers 200 once a bundle is loaded", "503")},
            "/metadata": {"get": _get("What the bundle is and how it was made", "503")},
            "/metrics": {"get": _get("Figures for Prometheus", kind="text/plain")},
        },
        "components": {"schemas": schemas},
    }
    if settings.token:
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        described["security"] = [{"token": []}]
        for path in OPEN:
            described["paths"][path]["get"]["security"] = []
    return described


def _predict(bundle: Bundle) -> Schema:
    table = {"schema": {"type": "string", "format": "binary"}}
    content: Schema = {
        JSON: {"schema": _ref("Request")},
        CSV: {"schema": {"type": "string"}},
        PARQUET: table,
        ARROW: table,
    }
    answer: Schema = {
        JSON: {"schema": _ref("Answers")},
        **dict.fromkeys((CSV, PARQUET, ARROW), table),
    }
    if rows := [dict(row) for row in bundle.samples.rows[:EXAMPLES]]:
        answers = [dict(found) for found in bundle.samples.answers[:EXAMPLES]]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        content[JSON]["examples"] = {
            "one row": {"value": {"rows": rows[:1]}},
            "rows": {"value": {"rows": rows}},
            "columns": {"value": {"columns": columns}},
        }
        model = {"version": bundle.version, "name": bundle.recipe.dataset}
        answer[JSON]["examples"] = {
            "rows": {"value": {"model": model, "answers": answers, "warnings": []}}
        }
    refusals = {
        "400": "The body is no JSON, or no such table",
        "406": "No such answer type",
        "408": "The body took too long",
        "413": "Too many bytes or rows",
        "415": "No such content type",
        "422": "The rows do not fit the signature",
        "503": "Too many connections, or the answer took too long",
    }
    return {
        "operationId": "predict",
        "summary": "Answer rows",
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {"description": "An answer for each row, in order", "content": answer},
            **_refusals(refusals),
        },
    }


def _explain(bundle: Bundle) -> Schema:
    """Return the same as of /predict, but for the number of rows and the answer."""
    described = _predict(bundle)
    described["requestBody"]["content"][JSON]["schema"] = _ref("RequestOfFew")
    content = {JSON: {"schema": _ref("Explanations")}}
    answered = {"description": "Why each row has its score", "content": content}
    described["responses"]["200"] = answered
    summary = f"Explain the answers to at most {MOST_ROWS} rows"
    return {**described, "operationId": "explain", "summary": summary}


def _get(summary: str, *codes: str, kind: str = JSON) -> Schema:
    schema: Schema = {"type": "object"} if kind == JSON else {"type": "string"}
    return {
        "summary": summary,
        "responses": {
            "200": {"description": summary, "content": {kind: {"schema": schema}}},
            **_refusals(dict.fromkeys(codes, "Not now")),
        },
    }


def _refusals(texts: dict[str, str]) -> Schema:
    content = {JSON: {"schema": _ref("Error")}}
    texts = {**texts, "401": "The token is missing or wrong"}
    return {code: {"description": texts[code], "content": content} for code in sorted(texts)}


def _schemas(bundle: Bundle, settings: Settings) -> Schema:
    columns = {column.name: _column(column) for column in bundle.signature.columns}
    names = list(columns)
    row = {"type": "object", "properties": columns, "required": names}
    decision = bundle.recipe.decision
    number = {"type": "number"}
    if decision.task == "regression":
        answer: Schema = {"prediction": number}
    elif decision.task == "binary":
        answer = {"prediction": {"type": "boolean"}, "score": number}
    else:
        classes = [str(name) for name in decision.classes or ()]
        scores = {f"score_{name}": number for name in classes}
        answer = {"prediction": {"type": "string", "enum": classes}, **scores}
    text = {"type": "string"}
    return {
        "Row": row,
        "Request": _request(columns, settings.max_rows),
        "RequestOfFew": _request(columns, MOST_ROWS),
        "Answer": _object(**answer),
        "Answers": _object(
            model=_object(version=text, name=text),
            answers={"type": "array", "items": _ref("Answer")},
            warnings={"type": "array", "items": text},
        ),
        "Explanations": _object(
            model=_object(version=text, name=text),
            explanations={"type": "array", "items": _explanation(answer["prediction"], names)},
            method=text,
        ),
        "Error": _object(error=_object(where=text, message=text, allowed=text)),
    }


def _request(columns: Schema, most: int) -> Schema:
    limits = {"minItems": 1, "maxItems": most}
    rows = {"type": "array", "items": _ref("Row"), **limits}
    lists = {name: {"type": "array", "items": schema, **limits} for name, schema in columns.items()}
    by_columns = {"type": "object", "properties": lists, "required": list(columns)}
    return {"oneOf": [_object(rows=rows), _object(columns=by_columns)]}


def _explanation(prediction: Schema, names: list[str]) -> Schema:
    number = {"type": "number"}
    effects = {name: _object(value={}, effect=number, error=number) for name in names}
    return _object(base=number, score=number, prediction=prediction, effects=_object(**effects))


def _column(column: InputColumn) -> Schema:
    """Return what a value may be. What was in training is described, and not enforced."""
    text = "" if column.nullable else "Never missing in training. "
    if column.type == "number":
        if column.minimum is not None:
            text += f"{column.minimum:g} to {column.maximum:g} in training."
        limits = {"minimum": -LARGEST, "maximum": LARGEST}
        return {"type": ["number", "null"], **limits, "description": text}
    if column.type == "boolean":
        return {"type": ["boolean", "null"], "description": text}
    if column.type == "time":
        kind = {"type": ["string", "null"], "format": "date-time"}
        return {**kind, "description": text + "ISO 8601, with its offset."}
    schema: Schema = {"type": ["string", "null"], "description": text}
    if column.categories:
        schema["examples"] = column.categories
        if column.complete:
            schema["description"] += (
                f"{len(column.categories)} values in training; others are taken."
            )
    return schema


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
