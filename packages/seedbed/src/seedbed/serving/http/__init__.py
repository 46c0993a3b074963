"""Predictions over HTTP: a FastAPI application on uvicorn, its limits, metrics and logs."""
