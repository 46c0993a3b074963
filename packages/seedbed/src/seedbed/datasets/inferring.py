"""What each column of a table is: a guess, with a reason that a person can judge."""

from dataclasses import replace

import pandas as pd

from seedbed.data.number_formats import PLAIN_NUMBER, split_unit
from seedbed.data.texts import joined
from seedbed.datasets.columns import look_at
from seedbed.datasets.duplicates import Trace, find_duplicates, trace
from seedbed.datasets.guesses import Guess
from seedbed.datasets.judging import TEXTS, has_absent, has_points, judge
from seedbed.datasets.names import RESERVED


def infer_columns(
    frame: pd.DataFrame, target: str, time: str | None, group: str | None
) -> dict[str, Guess]:
    """Return what each column is.

    Parameters
    ----------
    frame : DataFrame, shape (n_rows, n_columns)
        Texts are str as they stand in the file; other columns have their types.
    target, time, group : str
        The columns whose meaning a person has named: none becomes a duplicate of another.

    Returns
    -------
    dict of str to Guess
        In the order of the columns.
    """
    guesses: dict[str, Guess] = {}
    traces: dict[str, Trace] = {}
    forms: set[str] = set()
    absent: set[str] = set()
    again = []
    for name in frame.columns:
        column = look_at(frame[name], name)
        judged = judge(column, name == time)
        guesses[name], found = judged.guess, judged.found
        is_left_out = name == target or name.startswith(RESERVED)
        if guesses[name].kind not in ("empty", "constant") and not is_left_out:
            traces[name] = trace(judged.column, guesses[name].kind, judged.numbers)
        absent.update(guesses[name].missing_texts)
        form = found and (split_unit(found.form)[0] or found.form)
        if found and form and not found.undecided and (form != PLAIN_NUMBER or has_points(column)):
            forms.add(form)
        if (found and found.undecided) or (guesses[name].kind in TEXTS and has_absent(column)):
            again.append(name)
    for name in again if forms or absent else ():
        column = look_at(frame[name], name)
        guesses[name] = judge(column, name == time, sorted(forms), absent).guess
    named = [name for name in (time, group) if name in traces]
    traces = {name: traces[name] for name in (*named, *traces)}
    repeated, nearly = find_duplicates(traces, frame, guesses)
    for name, how in repeated.items():
        if name not in named:
            guesses[name] = replace(guesses[name], kind="duplicate", reason=how, note=None)
    for name, how in nearly.items():
        guesses[name] = replace(guesses[name], note=joined(guesses[name].note, how))
    return guesses
