"""`commands.md`: every command with its help, arguments and options."""

import inspect
from collections.abc import Iterator
from typing import Any

from typer.main import get_command

import voltrail
from tests.reference.markdown import code, table

_INTRODUCTION = """
# Commands

Data goes to stdout or to `--out`, everything else to stderr. The exit code is 0 when all is done, 1 when something
failed, 2 for wrong use; then the last line says what to do.

Commands read `voltrail.toml` in the current folder, or the file that `--config` or the environment variable
`VOLTRAIL_CONFIG` names ([settings](settings.md)). Without one they use `./voltrail-data`.
"""
_EXAMPLE = "Example: "
_OPTION_HEAD = ("option", "default", "meaning")
_COMMON = ("--config", "--json", "--debug")


def text() -> str:
    """Return the page."""
    commands: dict[str, Any] = get_command(voltrail.app).commands  # type: ignore[attr-defined]
    rows = [(f"[`voltrail {name}`](#voltrail-{name})", _help(each)[0]) for name, each in commands.items()]
    sections = [_section(name, command) for name, command in commands.items()]
    parts = [_INTRODUCTION, table(("command", "does"), rows), "", "Most commands have these options:\n"]
    common = {option.opts[0]: option for each in commands.values() for option in each.params}
    parts.append(table(_OPTION_HEAD, (_option(common[name]) for name in _COMMON)) + "\n")
    return "\n".join([*parts, *sections])


def _section(name: str, command: Any) -> str:
    *paragraphs, example = _help(command)
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    own = [option for option in options if option.opts[0] not in _COMMON]
    common = [option.opts[0] for option in options if option.opts[0] in _COMMON]
    usage = " ".join(["voltrail", name, *(_metavar(each) for each in arguments), *(["[OPTION]…"] if options else [])])
    parts = [f"## `voltrail {name}`\n", *(f"{each}\n" for each in paragraphs), f"Usage: `{usage}`\n"]
    parts.append(f"```sh\n{example.removeprefix(_EXAMPLE)}\n```\n")
    if arguments:
        rows = [(code(_metavar(each)), each.help) for each in arguments]
        parts.append(table(("argument", "meaning"), rows) + "\n")
    if own:
        parts.append(table(_OPTION_HEAD, map(_option, own)) + "\n")
    return "\n".join([*parts, f"Also {code(*common)}.\n" if common else ""])


def _help(command: Any) -> list[str]:
    """Return the paragraphs of the help, each in one line; the last one is the example."""
    return [" ".join(each.split()) for each in inspect.cleandoc(command.help).split("\n\n")]


def _metavar(argument: Any) -> str:
    name = (argument.metavar or argument.name.upper()).strip("[].…")
    words = name + ("…" if argument.nargs == -1 else "")
    return words if argument.required else f"[{words}]"


def _option(option: Any) -> tuple[str, str, str]:
    names = ", ".join(filter(None, [*option.opts, *option.secondary_opts]))
    value = "" if option.is_flag else f" {option.metavar or option.opts[0].strip('-').replace('-', '_').upper()}"
    meaning = "; ".join(filter(None, [option.help, *_remarks(option)]))
    return code(names + value), _default(option), meaning


def _remarks(option: Any) -> Iterator[str]:
    if option.min is not None and option.max is not None:
        yield f"{option.min} to {option.max}"
    if option.envvar:
        yield f"environment variable `{option.envvar}`"


def _default(option: Any) -> str:
    if option.required:
        return "required"
    return "" if option.default in (None, "", False) or option.default == [] else code(str(option.default))
