"""How commands print: tables and lines with colour on a terminal, as plain text elsewhere; JSON; errors; progress.

A plain table has one line a row and two blanks or more between cells. No cell is cut or wrapped, and none holds two
blanks in a row, so a program can split the lines. `rich` is imported only to write to a terminal: it takes 0.1 s.
"""

import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TextIO, TypeVar

import msgspec
import typer

from logger.commands.data_output import harmless_json
from logger.commands.file_errors import explain_file_error
from logger.errors import ConfigError, LoggerError
from logger.printable import PrintableFormatter, printable
from logger.suggest import nearest

if TYPE_CHECKING:
    from rich.table import Table as RichTable
    from rich.text import Text

_Result = TypeVar("_Result")
_BREAKS = re.compile(r"\s*\n\s*|  +")
_BLANKS = re.compile(r"^ | $|(?<= ) ")  # what would look like the gap between two cells


class Styled(msgspec.Struct, frozen=True):
    """Text with a style of rich, such as `red`; the style counts on a terminal only."""

    text: str
    style: str


Cell = str | int | Styled


class Table(msgspec.Struct, frozen=True):
    """Rows of cells; without `headers` no header line. Columns named in `right`, and those of numbers, align right."""

    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    right: Collection[str] = ()

    @property
    def right_columns(self) -> set[int]:
        """The indexes of the columns that align right."""
        named = {at for at, header in enumerate(self.headers) if header in self.right}
        columns = enumerate(zip(*self.rows, strict=True))
        return named | {at for at, cells in columns if all(isinstance(cell, int) for cell in cells)}


Block = str | Styled | Table


def table_of(records: Sequence[msgspec.Struct], headers: Sequence[str]) -> Table:
    """Return a table with a row for each record, its fields in their order."""
    return Table(headers, [msgspec.structs.astuple(each) for each in records])


# ---- printing -------------------------------------------------------------------------------------------------------


def show(result: _Result, as_json: bool, view: Callable[[_Result], Iterable[Block]]) -> None:
    """Print a command's result on stdout: as JSON, or as the blocks that `view` makes of it."""
    try:
        if as_json:
            print(harmless_json(msgspec.json.encode(result).decode()))
        elif is_terminal(sys.stdout):
            _print_styled(view(result))
        else:
            sys.stdout.writelines(f"{line}\n" for line in plain_lines(view(result)))
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_stdout()


def _discard_stdout() -> None:
    """Drop what is still to be printed: the reader has closed the pipe, which is no error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_note(text: str) -> None:
    """Print a line on stderr."""
    print(printable(text), file=sys.stderr, flush=True)


def write_notes(texts: Iterable[str]) -> None:
    """Print lines on stderr."""
    for text in texts:
        write_note(text)


def write_line(text: str) -> None:
    """Print a line on stdout at once, for what takes long."""
    print(printable(text), flush=True)


def write_lines(texts: Iterable[str]) -> None:
    """Print each of these lines on stdout as soon as it is there."""
    for text in texts:
        write_line(text)


def command_line(help_text: str, context: dict[str, Any]) -> typer.Typer:
    """Return a command line without commands; its help has colours on a terminal."""
    return typer.Typer(
        help=help_text,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown" if is_terminal(sys.stdout) else None,
        no_args_is_help=True,
        context_settings=context,
    )


def run(app: typer.Typer) -> NoReturn:
    """Run the command that `sys.argv` names, and exit with its code."""
    print_warnings()
    try:
        sys.exit(app(sys.argv[1:] or ["--help"], "voltrail", standalone_mode=False) or 0)
    except (Exception, KeyboardInterrupt) as error:
        sys.exit(report_failure(error, debug="--debug" in sys.argv))


def report_failure(error: BaseException, *, debug: bool) -> int:
    """Print why a command failed, as one line on stderr, with `debug` also where; return the exit code."""
    if isinstance(error, OSError) and "Broken pipe" in str(error):
        _discard_stdout()
        return 0
    if debug:
        for line in "".join(traceback.format_exception(error)).rstrip("\n").split("\n"):
            write_note(line)
    text, code = _explain(error)
    name = "\x1b[1;31mvoltrail:\x1b[0m" if is_terminal(sys.stderr) else "voltrail:"
    print(name, printable(one_line(text)), file=sys.stderr)
    return code


def _explain(error: BaseException) -> tuple[str, int]:
    """Return what to print for an error, and the exit code."""
    if isinstance(error, typer.TyperException):  # words on the command line that do not fit
        hint = nearest(getattr(error, "option_name", ""), getattr(error, "possibilities", None) or ())
        return f"{error.message}{hint}" if hint else error.format_message(), 2
    if isinstance(error, LoggerError):
        return str(error), 2 if isinstance(error, ConfigError) else 1
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return "interrupted", 130
    if isinstance(error, OSError) and error.strerror:
        return explain_file_error(error), 1
    return f"{type(error).__name__}: {error} (--debug shows where)", 1


def print_warnings() -> None:
    """Print log lines of warnings and errors on stderr, in commands that set up no log of their own."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PrintableFormatter("voltrail: %(message)s"))
    handler.setLevel(logging.WARNING)
    logging.lastResort = handler


def is_terminal(stream: TextIO) -> bool:
    """Return whether this stream is a terminal with colours: NO_COLOR is not set, and TERM says that it can."""
    able = os.environ.get("TERM") not in ("dumb", "unknown") and not os.environ.get("NO_COLOR")
    return able and stream.isatty()


@contextmanager
def progress(*, hidden: bool = False) -> Iterator[Callable[[str], None]]:
    """Yield a function that displays what is being done, beside a progress bar on stderr where that is a terminal."""
    if hidden or not is_terminal(sys.stderr):
        yield lambda text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(20), TimeElapsedColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True, highlight=False), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda text: bar.update(task, description=printable(text))


# ---- plain text ------------------------------------------------------------------------------------------------------


def plain_lines(blocks: Iterable[Block]) -> Iterator[str]:
    """Yield the blocks as lines of plain text."""
    for block in blocks:
        if isinstance(block, Table):
            yield from _plain_table(block)
        else:
            yield _text(block)


def _plain_table(table: Table) -> Iterator[str]:
    rows = [[_BLANKS.sub(r"\\x20", _cell_text(cell, table)) for cell in row] for row in table.rows]
    if table.headers:
        rows.insert(0, list(table.headers))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = table.right_columns
    for row in rows:
        cells = (
            cell.rjust(w) if at in right else cell.ljust(w)
            for at, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _cell_text(cell: Cell, table: Table) -> str:
    return _text(cell) or ("-" if table.headers else "")


def _text(cell: Cell) -> str:
    if isinstance(cell, int):
        return f"{cell:,}"
    return printable(cell.text if isinstance(cell, Styled) else cell)


# ---- a terminal ------------------------------------------------------------------------------------------------------


def _print_styled(blocks: Iterable[Block]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for block in blocks:
        if isinstance(block, Table):
            console.print(_rich_table(block))
        else:
            console.print(_rich_text(_text(block), block))


def _rich_table(table: Table) -> "RichTable":
    from rich import box
    from rich.table import Table as RichTable

    style = box.SIMPLE_HEAD if table.headers else None
    shown = RichTable(
        box=style, show_header=bool(style), show_edge=False, pad_edge=False, padding=(0, 1 if style else 2, 0, 0)
    )
    right = table.right_columns
    headers = table.headers or [""] * max(map(len, table.rows), default=0)
    for at, header in enumerate(headers):
        shown.add_column(header, justify="right" if at in right else "left", overflow="fold")
    for row in table.rows:
        shown.add_row(*(_rich_text(_cell_text(cell, table), cell) for cell in row))
    return shown


def _rich_text(text: str, cell: Cell) -> "Text":
    from rich.text import Text

    return Text(text, style=cell.style if isinstance(cell, Styled) else "")


# ---- numbers in words ------------------------------------------------------------------------------------------------


def format_duration(seconds: float) -> str:
    """Return a span of time [s] in the largest unit of which there are two, such as `19 h` or `3 min`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def format_count(number: int, noun: str) -> str:
    """Return a number with its noun, such as `1 error` or `2,000 errors`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def format_size(size_bytes: int) -> str:
    """Return a size [B] in GB from one on, else in MB."""
    return f"{size_bytes / 1e9:,.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:,.1f} MB"


def one_line(text: object) -> str:
    """Return the text with line breaks and runs of blanks as one blank; other controls stay, to be escaped."""
    return _BREAKS.sub(" ", str(text)).strip()
