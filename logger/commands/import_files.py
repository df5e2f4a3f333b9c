"""`voltrail import`: the rows of files, stored as every message is, through the spool into every sink."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from logger.commands.import_staging import Staged, Summary
from logger.commands.import_vehicles import Description, capacity_rows, describe
from logger.commands.output import Block, format_count
from logger.envelope import Envelope
from logger.locks import exclusive_lock
from logger.service.feeder import delivery
from logger.settings.schema import Settings
from logger.sources.files.binary import members
from logger.sources.files.presets import PRESETS
from logger.sources.files.read import Options, envelopes
from logger.sources.names import message, row
from logger.spool.open import open_spool

_ROUND = 8  # slices in the spool at once: what a feeder decodes in one go, so that its memory stays flat
_NOTHING_SAID = Description()
Progress = Callable[[str], None]


def import_files(
    paths: Sequence[Path],
    options: Options,
    settings: Settings,
    progress: Progress,
    description: Description = _NOTHING_SAID,
) -> list[Summary]:
    """Read files, put their rows into the spool and wait until the lake holds them; return what each file held.

    All files are read before the first row is stored. Ended at any moment, the same import goes on where it was.
    Raises `ConfigError` for a file, `Retry` for a disk or a sink.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    progress("waiting for another import to end")
    with exclusive_lock(settings.data_dir / "import.lock", wait=True):
        staged, summaries, settings = _read_all(paths, options, settings, description, progress)
        _store(staged, summaries, settings, description, progress)
    progress("")
    return summaries


def _read_all(
    paths: Sequence[Path], options: Options, settings: Settings, description: Description, progress: Progress
) -> tuple[list[Staged], list[Summary], Settings]:
    """Put all files on disk as slices, none where one has a fault; return also settings with their vehicles."""
    files = [each for path in paths for each in members(path, options.dialect.compression)]
    staged = [Staged(settings.data_dir, each, options) for each in files]
    try:
        summaries = [each.read(progress) for each in staged]
        names = [name for each in summaries for name in each.vehicles]
        return staged, summaries, describe(settings, description, options.zone, names)
    except BaseException:
        for each in staged:
            each.remove()
        raise


def _store(
    staged: Sequence[Staged],
    summaries: Sequence[Summary],
    settings: Settings,
    description: Description,
    progress: Progress,
) -> None:
    """Put slices into the spool, some at once, and wait for the lake each time; last, what the vehicles are called."""
    with closing(open_spool(settings)) as spool, delivery(settings) as deliver:

        def store(messages: Sequence[Envelope]) -> None:
            if messages:
                deliver(spool.append(messages), lambda waiting: None)

        for each, summary in zip(staged, summaries, strict=True):
            _store_slices(each, summary, store, progress)
            rows = capacity_rows(summary.vehicles, summary.firsts, description)
            store([*(envelopes(rows) if rows is not None else ()), *_names(summary, settings)])
            each.remove()


def _store_slices(
    staged: Staged, summary: Summary, store: Callable[[Sequence[Envelope]], None], progress: Progress
) -> None:
    """Store the slices of a file, each removed from disk when it is stored."""
    slices = staged.slices()
    for start in range(0, len(slices), _ROUND):
        paths = slices[start : start + _ROUND]
        store([message for path in paths for message in staged.messages(path)])
        for path in paths:
            path.unlink()
        progress(f"{summary.file}: {(start + len(paths)) / len(slices):.0%} of its rows stored")


def _names(summary: Summary, settings: Settings) -> Iterator[Envelope]:
    """Yield the message that names the vehicles of a file, without those that an account lists and names itself."""
    listed = {number for source in settings.sources for number in source.listed}
    named = [row(settings, provider, number) for provider, number in summary.vehicles if number not in listed]
    if (envelope := message(named)) is not None:
        yield envelope


# ---- what is printed -------------------------------------------------------------------------------------------------


def view(summaries: Sequence[Summary]) -> Iterator[Block]:
    """Yield what each file held, for people."""
    for each in summaries:
        count = each.rows - each.aside
        yield f"{count:>10,} {'row ' if count == 1 else 'rows'}  {each.file}"
        if each.aside:
            aside = format_count(each.aside, "row")
            yield f"{'':>10} {aside} set aside, see `voltrail export quarantine`; the first: {each.reason}"
        yield from (f"{'':>10} warning: {note}" for note in each.notes)


def formats() -> dict[str, str]:
    """Return what each `--format` reads."""
    return {name: preset.what for name, preset in PRESETS.items()}
