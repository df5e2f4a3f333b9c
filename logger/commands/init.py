"""`voltrail init`: options and answers to questions become a settings file that loads."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import typer

from logger.errors import ConfigError, UnknownName
from logger.settings.load import parse_settings
from logger.settings.schema import Segway, Settings
from logger.settings.secrets import environment_variable
from logger.settings.template import Answers, settings_text
from logger.sources import KINDS
from logger.sources.documents import sample_settings
from logger.suggest import nearest

_PATHS = ("data_dir", "client_secret_file")
_ACCOUNT_KEYS = ("name", "client_secret_file", "base_url", "vehicles")


class Draft(msgspec.Struct, frozen=True):
    """The answers for a settings file, and a secret that was typed and is in no file yet."""

    answers: Answers
    secret: str = ""

    def __repr__(self) -> str:
        return f"Draft({self.answers!r})"


def create_settings(out: Path, *, interactive: bool, kind: str = "", **options: Any) -> Settings:
    """Write the settings file `out`, by options and, where `interactive`, by questions; return the settings.

    An account of another kind than Segway's is written as a comment, to be filled in. Raises `ConfigError` for settings
    that would not load, before anything is written. No file is overwritten.
    """
    if out.exists():
        raise ConfigError(f"{out} is there already; name another file with --out")
    answers = _known_answers(out, options)
    if kind and kind != Segway.__struct_config__.tag:
        return _write_settings(Draft(msgspec.structs.replace(answers, sample=_sample(kind))), out)
    return _write_settings(_ask_missing(answers) if interactive else Draft(answers), out)


def next_steps(settings: Settings, out: Path) -> Iterator[str]:
    """Yield what to do after these settings were written to `out`."""
    for account in settings.sources:
        yield f"register {settings.collector.push_address(account.name)} with the vendor"
    missing = "" if settings.sources else ": fill in the account and its vehicles"
    yield f"wrote {out}{missing}; `voltrail check` says what is still wrong, `voltrail run` collects"


def _sample(kind: str) -> str:
    """The sample settings of an account of this kind. Raises `UnknownName`."""
    kinds = {str(struct.__struct_config__.tag): each.provider for struct, each in KINDS.items()}
    if kind not in kinds:
        raise UnknownName(f"--kind: unknown kind {kind!r}{nearest(kind, kinds)}; there are: {', '.join(kinds)}")
    return sample_settings(kinds[kind])


def _known_answers(out: Path, options: Mapping[str, Any]) -> Answers:
    """Return the answers that options give, the rest by default.

    A path that is relative to the working directory becomes absolute where `out` is in another folder.
    """
    answers = {key: value for key, value in options.items() if value}
    if Path.cwd() != out.resolve().parent:
        answers.update({key: str(Path.cwd() / answers[key]) for key in _PATHS if key in answers})
    return Answers(**answers)


def _ask_missing(answers: Answers) -> Draft:
    """Ask for the answers that are missing; an empty one leaves its setting out."""
    change, secret = msgspec.structs.replace, ""
    if not answers.client_id:
        answers = change(answers, client_id=_ask("Platform code (client_id) that Segway gave you"))
    if answers.client_id and not answers.client_secret_file:
        secret = _ask("Its secret (client_secret), not shown while you type", hidden=True)
    if answers.client_id and not answers.vehicles:
        numbers = _ask("Vehicles: their IMEIs (15 digits), with blanks between")
        answers = change(answers, vehicles=tuple(filter(None, re.split(r"[\s,;]+", numbers))))
    if not answers.public_url:
        answers = change(answers, public_url=_ask("Where the vendor reaches this host, such as https://HOST"))
    return Draft(answers, secret)


def _ask(question: str, *, hidden: bool = False) -> str:
    return str(typer.prompt(question, default="", show_default=False, hide_input=hidden, err=True)).strip()


def _write_settings(draft: Draft, out: Path) -> Settings:
    """Write the settings, and a typed secret in a file beside them."""
    answers, default = draft.answers, Answers()
    if not answers.client_id and any(getattr(answers, key) != getattr(default, key) for key in _ACCOUNT_KEYS):
        raise ConfigError("an account needs --client-id: the platform code that the vendor gave you")
    secret = {environment_variable(answers.name, "client_secret"): draft.secret} if draft.secret else {}
    settings = parse_settings(settings_text(answers), out, {**os.environ, **secret})
    if not draft.secret:
        _create(out, settings_text(answers), 0o666, "name another file with --out")
        return settings
    file = out.with_name(f"{answers.name}.secret")
    _create(file, draft.secret + "\n", 0o600, "move it away, or name it with --client-secret-file")
    try:
        with_secret = msgspec.structs.replace(answers, client_secret_file=file.name)
        _create(out, settings_text(with_secret), 0o666, "name another file with --out")
    except ConfigError:
        file.unlink()
        raise
    return settings


def _create(path: Path, text: str, mode: int, remedy: str) -> None:
    """Create a file with this text, or none at all. Raises `ConfigError`, with the remedy if there is one already."""
    try:
        data = text.encode()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except UnicodeEncodeError as error:
        raise ConfigError(f"cannot write {path}: a value is no text: {error}") from error
    except FileExistsError as error:
        raise ConfigError(f"{path} is there already; {remedy}") from error
    except OSError as error:
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except OSError as error:
        path.unlink()
        raise ConfigError(f"cannot write {path}: {error.strerror}") from error
