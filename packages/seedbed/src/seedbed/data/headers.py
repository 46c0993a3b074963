"""The names of a table's columns, as the files of people give them."""

from collections import Counter
from collections.abc import Iterable, Sequence

from seedbed.errors import UserError


def name_columns(header: Sequence[str] | None, width: int, names: list[str] | None) -> list[str]:
    """Return the names of `width` columns: `names`, or what stands in the header, or numbers.

    Parameters
    ----------
    header : sequence of str, optional
        The texts of the header row; a name that is empty becomes "Unnamed: 2" by its place.
    names : list of str, optional
        ``source.options.names``.

    Raises UserError if `names` are not as many as there are columns.
    """
    if names is not None:
        if len(names) != width:
            raise UserError(
                f"source.options.names has {len(names)} names, and the table has {width} columns. "
                "Give a name for each, or leave names out."
            )
        return names
    if header is None:
        return [f"column_{place}" for place in range(1, width + 1)]
    return [name or f"Unnamed: {place}" for place, name in enumerate(header)]


def refuse_repeated(
    names: Iterable[str], where: str, remedy: str = "Rename or remove one."
) -> None:
    """Refuse columns of which two have one name.

    Raises UserError if there are; it names `where` they are.
    """
    if repeated := sorted(name for name, count in Counter(names).items() if count > 1):
        raise UserError(
            f"{where}: the column {', '.join(repeated)} is there more than once. {remedy}"
        )


def tell_apart(names: Sequence[str], notes: list[str]) -> list[str] | None:
    """Return names of which the second x is called x_2, and note it; None if all differ.

    Parameters
    ----------
    names : sequence of str
    notes : list of str
        Gets a sentence on what was renamed.
    """
    taken, apart = set(names), []
    for place, name in enumerate(names):
        new, count = name, 1
        while new in apart or (count > 1 and new in taken):
            count += 1
            new = f"{name}_{count}"
        apart.append(new)
        if new != name:
            notes.append(f"column {place + 1} is the second called {name}: it is read as {new}")
    return apart if apart != list(names) else None
