"""What a table is: its columns, the question, the split, and what must not be a feature."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pandas as pd

from seedbed.config.preparation import TimePart
from seedbed.data.leaks import find_leaks
from seedbed.data.repeats import find_repeats
from seedbed.data.splits import AT_RANDOM
from seedbed.datasets.description import Description
from seedbed.datasets.guesses import Guess, read_as
from seedbed.datasets.inferring import infer_columns
from seedbed.datasets.problem import infer_problem
from seedbed.datasets.splitting import infer_split, stratify_rare
from seedbed.datasets.tables import Related
from seedbed.datasets.trends import find_trends, parts_that_return
from seedbed.errors import some_of


def describe_table(
    frame: pd.DataFrame,
    name: str,
    target: str,
    time: str | None = None,
    group: str | None = None,
    positive: str | None = None,
    related: Related | None = None,
    time_parts: Sequence[TimePart] = (),
) -> tuple[Description, list[str]]:
    """Return what is found in a table, and what a person should know before anything runs.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        As :func:`~seedbed.datasets.sniffing.read_as_text` returns it. Its columns are taken out.
    name, target, time, group, positive : str
        See :func:`~seedbed.datasets.adding.add_dataset`.
    related : Related, optional
        How columns of other tables came into it.
    time_parts : sequence of str
        The parts of the time that conf/ chooses.

    Raises UserError if a column is not there, or the target is no target.
    """
    guesses = infer_columns(frame, target, time, group)
    problem = infer_problem(frame, guesses, target, positive)
    warnings = [*problem.warnings]
    if problem.rare:
        guesses[target], word = _leave_out_rare(frame, guesses[target], problem.rare)
        warnings.append(word)
    split = related.split if related else infer_split(frame, guesses, time, group)
    count = len(frame)
    absent = frame[target].isin(guesses[target].missing_texts)
    classes = frame[target].mask(absent).astype("str")
    if problem.task != "regression":
        split = stratify_rare(split, classes)
    typed = _read_typed(frame, guesses)
    others = [
        column
        for column, guess in guesses.items()
        if column not in (target, split.column)
        and guess.kind not in ("constant", "empty", "duplicate")
    ]
    # Classes by their own names, so that a reason names them.
    answers = typed[target] if problem.task == "regression" else classes
    leaks = {leak.column: leak for leak in find_leaks(typed, answers, problem.task, others)}
    features = [
        column for column in others if column not in leaks and guesses[column].kind != "identifier"
    ]
    trends: dict[str, float] = {}
    returning = list(time_parts)
    warnings += [*split.notes, *(related.warnings if related else [])]
    warnings += _on_texts(guesses, features)
    if split.kind == "time":
        numbers = [column for column in features if guesses[column].kind == "number"]
        trends = find_trends(typed, str(split.column), numbers)
        returning = parts_that_return(typed[split.column], time_parts)
        warnings += _on_seasons(str(split.column), returning)
    elif split.kind in AT_RANDOM and (repeats := find_repeats(typed, features, answers)):
        warnings.append(str(repeats))
    found = Description(
        name,
        target,
        count,
        guesses,
        problem,
        split,
        leaks,
        trends,
        returning if len(returning) < len(time_parts) else None,
        frozenset(related.keys if related else ()),
    )
    return found, warnings


def _on_texts(guesses: Mapping[str, Guess], features: Sequence[str]) -> Iterator[str]:
    """Yield what to try where texts are features."""
    if texts := [column for column in features if guesses[column].kind == "text"]:
        yield (
            f"a linear model on all words of {some_of(texts, 3)} may be better than trees: "
            "dvc exp run -S model=logistic_regression -S features=sparse_text"
        )


def _on_seasons(time: str, returning: Sequence[TimePart]) -> Iterator[str]:
    """Yield what to try where parts of the time come again."""
    if returning:
        yield (
            f"if the target has seasons, the parts of {time} may say more as circles: "
            "dvc exp run -S features=cyclic"
        )


def _read_typed(frame: pd.DataFrame, guesses: Mapping[str, Guess]) -> pd.DataFrame:
    """Return the columns as they were guessed; `frame` loses its own, which take much memory."""
    texts = dict(frame.items())
    frame.drop(columns=frame.columns, inplace=True)
    typed = {name: read_as(texts.pop(name), guesses[name]) for name in list(texts)}
    return pd.DataFrame(typed, copy=False)


def _leave_out_rare(
    frame: pd.DataFrame, guess: Guess, rare: Mapping[str, int]
) -> tuple[Guess, str]:
    """Let classes of too few rows be missing, so that these rows are dropped; and say so.

    Missing texts count in all columns: where another one has the text too, nothing is done.
    """
    what = ", ".join(f"{text} ({count})" for text, count in rare.items())
    others = frame.drop(columns=guess.name)
    if any(values.astype("str").isin(list(rare)).any() for _, values in others.items()):
        return guess, (
            f"classes of too few rows for train, validation and test: {what}. Join them with "
            "others, or drop these rows, else the model cannot be evaluated"
        )
    texts = (*guess.missing_texts, *rare)
    guess = replace(
        guess,
        missing_texts=texts,
        values=guess.values - len(rare),
        missing=guess.missing + sum(rare.values()) / len(frame),
    )
    return guess, (
        f"rows of classes that have too few for train, validation and test are left out: {what}. "
        "Join classes in the file, or take them out of source.options.missing, if they matter"
    )
