"""Batch prediction: `seedbed score` reads rows in batches and writes their answers."""
