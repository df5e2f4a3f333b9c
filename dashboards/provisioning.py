"""What Grafana reads at its start: the data source, where the dashboards are, alert rules and contact points."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from dashboards import alerts
from dashboards.kit.influxql import Query
from logger.settings.schema import Settings

_BUILT = "# Built by `voltrail dashboards build`: change dashboards/ instead.\n"
_DATA_SOURCE = """apiVersion: 1
datasources:
  - name: voltrail
    uid: voltrail
    type: influxdb
    access: proxy
    url: $VOLTRAIL_INFLUX_URL
    jsonData:
      version: InfluxQL
      dbName: $VOLTRAIL_INFLUX_BUCKET
      httpMode: POST
      httpHeaderName1: Authorization
    secureJsonData:
      httpHeaderValue1: Token $__file{/run/secrets/influx_token}
    editable: false
"""
_DASHBOARDS = """apiVersion: 1
providers:
  - name: voltrail
    folder: voltrail
    folderUid: voltrail
    type: file
    allowUiUpdates: false
    updateIntervalSeconds: 60
    options:
      path: /etc/grafana/voltrail/dashboards
"""


def files(settings: Settings, stored: Callable[[Query], Query]) -> dict[str, str]:
    """Return the text of each file by its path below the folder of Grafana's files.

    `stored` gives a query that reads tables where these settings store them.
    """
    return {
        "provisioning/datasources/voltrail.yaml": _BUILT + _DATA_SOURCE,
        "provisioning/dashboards/voltrail.yaml": _BUILT + _DASHBOARDS,
        "provisioning/alerting/rules.yaml": _yaml(alerts.rule_file(settings, stored)),
        "provisioning/alerting/contact-points.yaml": _yaml(alerts.contact_file()),
    }


def _yaml(content: Mapping[str, Any]) -> str:
    """Return it as JSON, which is YAML as well."""
    return _BUILT + json.dumps(content, indent=2, ensure_ascii=False) + "\n"
