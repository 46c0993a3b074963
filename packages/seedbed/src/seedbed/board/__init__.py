"""A local page of what a repository holds: champion, experiments, drift by day, reports."""
