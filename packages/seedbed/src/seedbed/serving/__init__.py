"""Models as they are served: a bundle is all that a prediction needs."""

from seedbed.serving.bundle import Bundle
from seedbed.serving.loading import load_bundle

__all__ = ["Bundle", "load_bundle"]
