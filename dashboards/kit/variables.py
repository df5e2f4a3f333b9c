"""Variables of dashboards: provider, group, model and vehicle, each of which narrows those after it.

InfluxQL answers a variable with values alone, and a person knows a vehicle by its name. So the store writes a field
`menu` beside each row of `vehicles` (group, model, name and number, joined by tabs), and an expression of the variable
takes text and value out of it. What a vehicle is called never takes part in a query, only its number does.
"""

from grafana_foundation_sdk.models import dashboard as grafana

from dashboards.kit.influxql import DATASOURCE_REF

_ANY, _ANY_WORD = ".*", "[^\\t]*"
_MENUS = (
    'SELECT "menu" FROM (SELECT last("menu") AS "menu" FROM "vehicles" WHERE "provider" =~ /^${provider:regex}$/ '
    'GROUP BY "provider", "vehicle")'
)
_OF_GROUP, _OF_MODEL = "/^(?<value>[^\\t]+)\\t/", "/^[^\\t]*\\t(?<value>[^\\t]+)\\t/"
_OF_VEHICLE = "/^[^\\t]*\\t[^\\t]*\\t(?<text>[^\\t]+)\\t(?<value>.+)$/"
_VEHICLES = _MENUS + ' WHERE "menu" =~ /^${group:regex}\\t${model:regex}\\t/'
_ALL = grafana.VariableOption(text=["All"], value=["$__all"])


def fleet() -> list[grafana.VariableModel]:
    """Return variables for any number of vehicles."""
    return [*_narrowing(), _query("vehicle", "Vehicle", _VEHICLES, _OF_VEHICLE)]


def one_vehicle() -> list[grafana.VariableModel]:
    """Return variables for exactly one vehicle."""
    vehicle = _query("vehicle", "Vehicle", _VEHICLES, _OF_VEHICLE)
    vehicle.multi, vehicle.include_all, vehicle.current = False, False, None
    return [*_narrowing(), vehicle]


def low_charge(percent: float) -> grafana.VariableModel:
    """Return the variable of the percent below which a vehicle counts as low; `percent` is that of the settings."""
    levels = sorted({5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, percent})
    options = [grafana.VariableOption(text=f"{each:g}", value=f"{each:g}", selected=each == percent) for each in levels]
    return grafana.VariableModel(
        type_val=grafana.VariableType.CUSTOM,
        name="low",
        label="Low below (%)",
        query=",".join(f"{each:g}" for each in levels),
        current=grafana.VariableOption(text=f"{percent:g}", value=f"{percent:g}"),
        options=options,
        multi=False,
        include_all=False,
        description="The charge below which a vehicle counts as low.",
    )


def _narrowing() -> list[grafana.VariableModel]:
    providers = 'SHOW TAG VALUES FROM "vehicles" WITH KEY = "provider"'
    return [
        _query("provider", "Provider", providers, "", _ANY),
        _query("group", "Group", _MENUS, _OF_GROUP, _ANY_WORD),
        _query("model", "Model", _MENUS, _OF_MODEL, _ANY_WORD),
    ]


def _query(name: str, label: str, query: str, regex: str, everything: str | None = None) -> grafana.VariableModel:
    """A variable of one or more values, filled by a query; without `everything`, all of them are listed one by one."""
    return grafana.VariableModel(
        type_val=grafana.VariableType.QUERY,
        name=name,
        label=label,
        datasource=DATASOURCE_REF,
        query=query,
        regex=regex,
        multi=True,
        include_all=True,
        all_value=everything,
        current=_ALL,
        options=[],
        refresh=grafana.VariableRefresh.ON_DASHBOARD_LOAD,
        sort=grafana.VariableSort.NATURAL_ASC,
        allow_custom_value=False,
    )
