"""What a push or a pull has to say."""

from dataclasses import dataclass, field


@dataclass
class Report:
    """What moved, told as it moves, and what a person must look at, each in a paragraph: then the exit code is not 0."""

    problems: list[str] = field(default_factory=list)
    told: bool = False

    def tell(self, line: str) -> None:
        """Print a line at once: a later step may fail, and what has moved has moved."""
        print(line, flush=True)
        self.told = True


def count(number: int, word: str) -> str:
    """Say how many things of a kind there are."""
    return f"{number} {word}{'' if number == 1 else 's'}"
