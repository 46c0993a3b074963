"""What a project adds to seedbed by a decorator: functions by name, found when conf/ names them."""

import inspect
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, NoReturn, TypeVar

from seedbed.config.project import project_module
from seedbed.errors import UserError, did_you_mean

Entry = TypeVar("Entry")


class Registry(Generic[Entry]):
    """The entries of one sort by their names: those of seedbed, and those of the project.

    Parameters
    ----------
    what : str
        What an entry is called in messages, such as "source".
    module : str
        The module of the project's package that registers its own, such as "sources". It is
        imported when a name is asked for that seedbed does not have.
    """

    everywhere: ClassVar[list["Registry[Any]"]] = []

    def __init__(self, what: str, module: str) -> None:
        self.what = what
        self.module = module
        self._entries: dict[str, Entry] = {}
        self._functions: dict[str, Callable[..., Any]] = {}
        self.everywhere.append(self)

    def add(self, name: str, entry: Entry, function: Callable[..., Any]) -> None:
        """Register an entry, made of a decorated function, under a name.

        Raises UserError if another function has this name already.
        """
        earlier = self._functions.setdefault(name, function)
        if place_of(earlier) != place_of(function):
            raise UserError(
                f"there is a {self.what} {name!r} already, {place_of(earlier)}. "
                "Give yours another name."
            )
        self._entries[name] = entry

    def find(self, name: str) -> Entry | None:
        """Return the entry of a name, or None if neither seedbed nor the project has it."""
        if name not in self._entries:
            project_module(self.module)
        return self._entries.get(name)

    def all(self) -> dict[str, Entry]:
        """Return all entries by name, the project's last."""
        project_module(self.module)
        return self._entries


@contextmanager
def only_seedbed() -> Iterator[None]:
    """Within it, registries hold only what seedbed registered; afterwards each is as before."""
    kept = [(found, dict(found._entries), dict(found._functions)) for found in Registry.everywhere]
    try:
        for registry, _, functions in kept:
            for name, function in functions.items():
                if function.__module__.partition(".")[0] != "seedbed":
                    del registry._functions[name], registry._entries[name]
        yield
    finally:
        for registry, entries, functions in kept:
            registry._entries, registry._functions = entries, functions


def check_function(decorator: str, found: Any, given: Sequence[str] | None = None) -> None:
    """Refuse what a decorator stands above, or is called with, unless a stage can call it.

    Parameters
    ----------
    given : sequence of str, optional
        What it will be called with, in words.
    """
    if not inspect.isroutine(inspect.unwrap(found)):
        raise UserError(
            f"@{decorator} is given {found!r}, and takes a function: write it in the line above a "
            "function that begins with def."
        )
    if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
        raise UserError(
            f"@{decorator} is given a function that begins with async def, and would not be run. "
            "Begin it with def."
        )
    if given is None:
        return
    try:
        inspect.signature(found).bind(*given)
    except TypeError as error:
        raise UserError(
            f"{found.__name__} is called with {len(given)} "
            f"{'argument' if len(given) == 1 else 'arguments'} ({', '.join(given)}), and takes "
            f"others: {error}."
        ) from None
    except ValueError:  # of a function of C's that does not tell
        pass


def refuse_without_brackets(first: object, example: str) -> None:
    """Refuse the function under a decorator if it came as the decorator's first argument."""
    if callable(first):
        raise UserError(f"@{example.partition('(')[0]} needs brackets: write @{example}.")


def refuse_unknown(argument: str, words: Collection[str], known: Collection[str]) -> None:
    """Refuse what a decorator is given for an argument if it is not among the known words."""
    for word in words:
        if word not in known:
            refuse_argument(argument, word, ", ".join(known), did_you_mean(word, known))


def refuse_argument(argument: str, value: object, allowed: str, hint: str = "") -> NoReturn:
    """Refuse what a decorator is given for an argument."""
    raise UserError(f"{argument} is {value!r}{hint}. It may be {allowed}.")


def place_of(function: Callable[..., Any]) -> str:
    """Return the module and the line where a function, or what it wraps, begins."""
    inner = inspect.unwrap(function)
    code = getattr(inner, "__code__", None)
    return f"{inner.__module__}, line {code.co_firstlineno}" if code else repr(function)
