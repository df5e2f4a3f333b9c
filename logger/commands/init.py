"""`voltrail init`: what is known, and what is asked for, becomes settings that load."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from logger.errors import ConfigError
from logger.settings.load import parse_settings
from logger.settings.schema import Settings
from logger.settings.template import Answers, secret_variable, settings_text

Ask = Callable[[str, bool], str]  # a question, and whether to hide what is typed
_PATHS = ("data_dir", "client_secret_file")
_OF_AN_ACCOUNT = ("name", "client_secret_file", "base_url", "vehicles")


class Draft(msgspec.Struct, frozen=True):
    """Answers, and a secret that was typed and is in no file yet."""

    answers: Answers
    secret: str = ""

    def __repr__(self) -> str:
        return f"Draft({self.answers!r})"


def known_answers(out: Path, **told: Any) -> Answers:
    """What was told, the rest by default. A path that was meant from here is written as it is meant from `out`."""
    given = {key: value for key, value in told.items() if value}
    if Path.cwd() != out.resolve().parent:
        given.update({key: str(Path.cwd() / given[key]) for key in _PATHS if key in given})
    return Answers(**given)


def ask_missing(answers: Answers, ask: Ask) -> Draft:
    """Ask for what is missing; an empty answer leaves it out."""
    change, secret = msgspec.structs.replace, ""
    if not answers.client_id:
        answers = change(answers, client_id=ask("Platform code (client_id) that Segway gave you", False))
    if answers.client_id and not answers.client_secret_file:
        secret = ask("Its secret (client_secret), not shown while you type", True)
    if answers.client_id and not answers.vehicles:
        told = ask("Vehicles: their IMEIs (15 digits), with blanks between", False)
        answers = change(answers, vehicles=tuple(filter(None, re.split(r"[\s,;]+", told))))
    if not answers.public_url:
        answers = change(answers, public_url=ask("Where the vendor reaches this host, such as https://HOST", False))
    return Draft(answers, secret)


def write_settings(draft: Draft, out: Path) -> Settings:
    """Write the settings, and a typed secret beside them; returns what was written.

    Raises `ConfigError` for what would not load, before anything is written; what is in the way is not overwritten.
    """
    answers, fresh = draft.answers, Answers()
    if not answers.client_id and any(getattr(answers, key) != getattr(fresh, key) for key in _OF_AN_ACCOUNT):
        raise ConfigError("an account needs --client-id: the platform code that the vendor gave you")
    secret = {secret_variable(answers.name): draft.secret} if draft.secret else {}
    settings = parse_settings(settings_text(answers), out, {**os.environ, **secret})
    if not draft.secret:
        _put(out, settings_text(answers), 0o666, "name another file with --out")
        return settings
    file = out.with_name(f"{answers.name}.secret")
    _put(file, draft.secret + "\n", 0o600, "move it away, or name it with --client-secret-file")
    try:
        named = msgspec.structs.replace(answers, client_secret_file=file.name)
        _put(out, settings_text(named), 0o666, "name another file with --out")
    except ConfigError:
        file.unlink()
        raise
    return settings


def _put(path: Path, text: str, mode: int, remedy: str) -> None:
    """A new file with this text, or none at all."""
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
