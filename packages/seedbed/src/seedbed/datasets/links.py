"""How a person says that tables join: which column of one equals which of another."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from seedbed.datasets.guesses import check_column
from seedbed.errors import UserError, did_you_mean


class Link(NamedTuple):
    """An equality of two columns; `turned` if the child is the table that is named as parent."""

    child: str
    child_key: str
    parent: str
    parent_key: str
    turned: bool = False

    def turn(self) -> "Link":
        """Return the same equality, with the other table as the child."""
        return Link(self.parent, self.parent_key, self.child, self.child_key, not self.turned)


def parse_joins(joins: Sequence[str], frames: Mapping[str, pd.DataFrame]) -> list[Link]:
    """Return what each ``child.key=parent.key`` says.

    Raises UserError if one is not written so, or a table or column is not there.
    """
    found = []
    for text in joins:
        signs = [sign.start() for sign in re.finditer("=", text)]
        pairs = [(text[:place].split(".", 1), text[place + 1 :].split(".", 1)) for place in signs]
        # A column may have an equals sign in its name.
        pairs = [(child, parent) for child, parent in pairs if len(child) == len(parent) == 2]
        if not pairs:
            raise UserError(
                f"--join {text}: write both sides as table.column, such as "
                "--join orders.customer_id=customers.id."
            )
        fitting = [pair for pair in pairs if pair[0][0] in frames and pair[1][0] in frames]
        (child, child_key), (parent, parent_key) = (fitting or pairs)[0]
        for table, key in ((child, child_key), (parent, parent_key)):
            if table not in frames:
                raise UserError(
                    f"--join {text}: there is no table {table}{did_you_mean(table, frames)}. The "
                    f"tables are {', '.join(frames)}; add others with --table NAME=PATH."
                )
            check_column(frames[table], key, f"--join {text}: table {table}, column")
        if child == parent:
            raise UserError(f"--join {text}: both sides are table {child}. Name two tables.")
        found.append(Link(child, child_key, parent, parent_key))
    return found


def in_order(
    base: str, links: Sequence[Link], frames: Mapping[str, pd.DataFrame]
) -> Iterator[tuple[str, list[Link]]]:
    """Yield each table and what links it to those before it, as the child, from the first on.

    Raises UserError if a table is not linked to the first, by way of others either.
    """
    reached = {base}
    both_ways = [turned for link in links for turned in (link, link.turn())]
    while near := [
        link for link in both_ways if link.parent in reached and link.child not in reached
    ]:
        table = near[0].child
        yield table, [link for link in near if link.child == table]
        reached.add(table)
    if lost := [name for name in frames if name not in reached]:
        raise UserError(
            f"--table {lost[0]}: no --join leads from {base} to it. Add one, such as "
            f"--join {lost[0]}.KEY={base}.KEY."
        )
