"""Which columns of a table the lists under `columns` take, and what each of them is."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple

from seedbed.config.schema import Column, ColumnLists, ColumnType, Role
from seedbed.errors import UserError, did_you_mean, some_of

FEATURES: dict[str, ColumnType] = {
    "number": "number",
    "category": "category",
    "boolean": "boolean",
    "text": "text",
    "date": "time",
    "image": "image",
    "document": "document",
}
"""The lists of features, and the type of the columns in each."""
MOVABLE = (*FEATURES, "known_after_outcome", "types")
"""The lists that a column leaves when `move` puts it into another one."""
SHOWN = 20
"""How many columns of the data a message names."""


class Mistake(NamedTuple):
    """What is wrong with the value of a key in params.yaml.

    `edit` is the key to change where that is another.
    """

    key: str
    message: str
    edit: str = ""


def resolve_columns(lists: ColumnLists, names: Iterable[str]) -> dict[str, Column]:
    """Return the columns that the lists take, in the order of the table.

    Names that no list takes change nothing, so every stage gets the same columns from the table
    that it reads.

    Parameters
    ----------
    lists : ColumnLists
    names : iterable of str
        The columns of a table.

    Returns
    -------
    dict of str to Column

    Raises
    ------
    UserError
        If a name is not among them, a glob takes none, or a column has roles that exclude each
        other.
    """
    names = list(names)
    for mistake in (*find_absent(lists, names), *find_conflicts(lists, names)):
        raise UserError(f"{mistake.key} {mistake.message}. Edit the conf/dataset file.")
    return take_columns(lists, names)


def take_columns(lists: ColumnLists, names: Iterable[str]) -> dict[str, Column]:
    """Return the columns that the lists take, without judging the lists."""
    types = ColumnTypes(lists)
    return {name: column for name in names if (column := types.column(name))}


def is_glob(entry: str) -> bool:
    """Whether an entry of a list stands for the columns of a pattern."""
    return entry.startswith("!") or any(sign in entry for sign in "*?[")


def find_conflicts(lists: ColumnLists, names: Iterable[str]) -> Iterator[Mistake]:
    """Yield the columns of a table that have roles which exclude each other."""
    types = ColumnTypes(lists)
    for name in names:
        roles = types.roles(name)
        if roles and name.startswith("_"):
            yield Mistake(
                f"columns.{roles[0]}",
                f"takes {name}, and names that begin with _ are the pipeline's own: rename the "
                "column where rows come from too",
            )
        alone = [role for role in roles if role not in ("key", "types")]
        if len(alone) > 1:
            yield _conflict(name, alone[0], alone[1])
        elif "key" in roles and alone and alone[0] in ("target", "known_after_outcome"):
            yield _conflict(name, alone[0], "key")
        elif "types" in roles and alone and alone[0] in FEATURES:
            yield _conflict(name, alone[0], "types")
    if lists.time and lists.types.get(lists.time, "time") != "time":
        yield Mistake(
            f"columns.types.{lists.time}",
            f"is {lists.types[lists.time]}, and columns.time names that column, so its type is "
            "time: take the line out",
        )


def find_absent(lists: ColumnLists, names: list[str]) -> Iterator[Mistake]:
    """Yield the names and globs of the lists that take no column of a table."""
    types, known = ColumnTypes(lists), set(names)
    shown = some_of(names, SHOWN)
    for name, roles in types.named.items():
        if name not in known and not is_glob(name):
            moved = name in types.moved
            meant = did_you_mean(name, sorted(known if moved else known - set(types.named)))
            yield Mistake(
                f"columns.{'move' if moved else roles[0]}",
                f"names {name}, which is not in the data{meant}; they have {shown}: correct the "
                "name, or remove it",
            )
    for role, globs in types.globs.items():
        for glob in globs:
            if glob not in known and not any(fnmatchcase(name, glob) for name in names):
                yield Mistake(
                    f"columns.{role}",
                    f"has the glob {glob!r}, which matches none of the {len(names)} columns of the "
                    f"data ({shown}): correct it, or remove it",
                )


def _conflict(name: str, role: str, other: str) -> Mistake:
    return Mistake(
        f"columns.{other}",
        f"takes {name}, and so does columns.{role}: a column cannot be both. Remove it from one of "
        f"the two; where a glob takes it, add '!{name}' to that list",
    )


class ColumnTypes(Mapping[str, ColumnType]):
    """The type of each column that the lists take.

    It is known of any name before a table is read; iterating gives the names that are written out
    in the lists, without those that a glob takes.
    """

    def __init__(self, lists: ColumnLists) -> None:
        self._types = lists.types
        self.moved = lists.move
        self.named: dict[str, list[str]] = {}
        self.globs: dict[str, list[str]] = {}
        self._left_out: dict[str, list[str]] = {}
        for role in ColumnLists.model_fields:
            value = getattr(lists, role)
            for entry in [value] if isinstance(value, str) else value or []:
                if entry.startswith("!"):
                    self._left_out.setdefault(role, []).append(entry[1:])
                    continue
                if role == "move":
                    kept = [old for old in self.named.get(entry, []) if old not in MOVABLE]
                    self.named[entry] = [*kept, lists.move[entry]]
                else:
                    self.named.setdefault(entry, []).append(role)
                if is_glob(entry):
                    self.globs.setdefault(role, []).append(entry)

    def __getitem__(self, name: str) -> ColumnType:
        if column := self.column(name):
            return column.type
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.named if not is_glob(name))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def roles(self, name: str) -> list[str]:
        """Return the lists that take a column: a glob takes only columns that no list names."""
        return self.named.get(name) or [
            role
            for role, globs in self.globs.items()
            if any(fnmatchcase(name, glob) for glob in globs)
            and not any(fnmatchcase(name, glob) for glob in self._left_out.get(role, []))
        ]

    def column(self, name: str) -> Column | None:
        """Return what a column is, or None if no list takes it."""
        roles = self.roles(name)
        if not roles:
            return None
        kind: ColumnType = self._types.get(name, "time" if "time" in roles else "number")
        role: Role = "key" if "key" in roles else "other"
        for taking in roles:
            if taking in FEATURES:
                role, kind = "feature", FEATURES[taking]
            elif taking not in ("key", "types"):
                role = taking  # type: ignore[assignment]
        return Column(role=role, type=kind, key="key" in roles)
