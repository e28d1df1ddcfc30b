"""A progress bar with the time left, on stderr and only where a person watches."""

from typing import TYPE_CHECKING, Self

from bot.cli.console import Terminal

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """Use as a context; without a terminal it stays silent."""

    def __init__(self, terminal: Terminal, title: str) -> None:
        self._terminal = terminal
        self._title = title
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        if self._terminal.interactive:
            from rich.progress import BarColumn, Progress, TextColumn

            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TextColumn("{task.fields[left]}"),
                console=self._terminal.rich(),
                transient=True,
            )
            self._progress.start()
            self._task = self._progress.add_task(self._title, total=1.0, left="")
        return self

    def __exit__(self, *_error: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, fraction: float, *, eta_s: float | None = None, title: str = "") -> None:
        """How far it is, from 0 to 1."""
        if self._progress is None or self._task is None:
            return
        from bot.core.cards import duration

        left = f"about {duration(eta_s)} left" if eta_s is not None else ""
        self._progress.update(
            self._task, completed=fraction, left=left, description=title or self._title
        )
