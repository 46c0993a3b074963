"""What a model costs to use: its size and the time it takes to answer, as objectives beside its quality."""

import statistics
import tempfile
import time
from pathlib import Path

ROWS = 1_000
REPEATS = 7


def model_size(root: Path, commit: str) -> float:
    """Return the size in bytes of the model that the experiment `commit` of the repository `root` holds."""
    from dvc.api import DVCFileSystem

    return float(DVCFileSystem(str(root), rev=commit).du("models/model"))


def prediction_time(root: Path, commit: str) -> float:
    """Return the microseconds that a row takes when up to a thousand validation rows are scored at once.

    Measured here and now, the median of several calls after a first one: a figure of this machine and of what else it
    does, so it stands in the sweep's records and never in an experiment.
    """
    from dvc.api import DVCFileSystem

    from seedbed.data.tables import read_table
    from seedbed.models.decision import Decision
    from seedbed.models.features import feature_frame, split_rows
    from seedbed.models.parallel import one_blas_thread
    from seedbed.models.pipeline import predict_scores
    from seedbed.models.serialization import load_pipeline

    with tempfile.TemporaryDirectory() as folder, one_blas_thread():
        files = DVCFileSystem(str(root), rev=commit)
        for path in ("models/model", "data/features"):
            files.get(path, f"{folder}/{path}", recursive=True)
        pipeline = load_pipeline(Path(folder, "models/model/pipeline.skops"))
        decision = Decision.read(Path(folder, "models/model/decision.json"))
        rows = split_rows(read_table(Path(folder, "data/features")), "validation").head(ROWS)
        features = feature_frame(rows, decision.features)
        seconds = []
        for _ in range(REPEATS + 1):
            begin = time.perf_counter()
            predict_scores(pipeline, features, decision.task, decision.classes)
            seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds[1:]) / len(rows) * 1e6


COSTS = {"prediction_time": prediction_time, "model_size": model_size}
"""By the name that `sweep.objective` gives them; all are to be minimized."""
