"""The flights project: what is particular to this question, these data and this model."""
