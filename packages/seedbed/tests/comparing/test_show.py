"""`make show` sorts by the metric that decides, the better way round."""

import pytest

from seedbed.comparing.show import show_command

from support import REPOSITORY, composed


@pytest.mark.parametrize(
    ("dataset", "column", "order"),
    [("flights", "cv.roc_auc", "desc"), ("diabetes", "cv.rmse", "asc")],
)
def test_the_best_comes_first(dataset: str, column: str, order: str) -> None:
    words = show_command(REPOSITORY, composed(f"dataset={dataset}").problem)
    assert words[words.index("--sort-by") + 1] == column
    assert words[words.index("--sort-order") + 1] == order
    assert "HEAD" in words
