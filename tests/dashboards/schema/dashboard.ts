// The type of our dashboards, out of the types that Grafana publishes: its dashboard, with the options and the field
// settings of each kind of panel that we use. See README.md for the command that makes dashboard.schema.json of it.
import type * as d from '@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type * as ui from '@grafana/schema/dist/types/common/common.gen';
import type * as stat from '@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as timeseries from '@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';
import type * as barchart from '@grafana/schema/dist/types/raw/composable/barchart/panelcfg/x/types.gen';
import type * as bargauge from '@grafana/schema/dist/types/raw/composable/bargauge/panelcfg/x/types.gen';
import type * as table from '@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as statetimeline from '@grafana/schema/dist/types/raw/composable/statetimeline/panelcfg/x/types.gen';
import type * as heatmap from '@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/types.gen';
import type * as geomap from '@grafana/schema/dist/types/raw/composable/geomap/panelcfg/x/types.gen';
import type * as xychart from '@grafana/schema/dist/types/raw/composable/xychart/panelcfg/x/types.gen';
import type * as trend from '@grafana/schema/dist/types/raw/composable/trend/panelcfg/x/types.gen';
import type * as histogram from '@grafana/schema/dist/types/raw/composable/histogram/panelcfg/x/types.gen';

type Nothing = Record<string, never>;

// Grafana's data source of InfluxDB keeps the type of its query in its own source: these are the keys that we write.
interface InfluxQuery {
  refId: string;
  datasource: { type: 'influxdb'; uid: string };
  rawQuery: true;
  query: string;
  resultFormat: 'time_series' | 'table';
  alias?: string;
}

interface Kind<Name extends string, Options, Custom>
  extends Omit<d.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> {
  type: Name;
  options: Options;
  targets: InfluxQuery[];
  fieldConfig: {
    defaults: Omit<d.FieldConfig, 'custom'> & { custom?: Custom };
    overrides: d.FieldConfigSource['overrides'];
  };
}

type AnyPanel =
  | Kind<'stat', stat.Options, Nothing>
  | Kind<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Kind<'barchart', barchart.Options, barchart.FieldConfig>
  | Kind<'bargauge', bargauge.Options, Nothing>
  | Kind<'table', table.Options, ui.TableFieldOptions>
  | Kind<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  | Kind<'heatmap', heatmap.Options, heatmap.FieldConfig>
  | Kind<'geomap', geomap.Options, Nothing>
  | Kind<'xychart', xychart.Options, xychart.FieldConfig>
  | Kind<'trend', trend.Options, trend.FieldConfig>
  | Kind<'histogram', histogram.Options, histogram.FieldConfig>;

export interface VoltrailDashboard extends Omit<d.Dashboard, 'panels'> {
  panels: (AnyPanel | d.RowPanel)[];
}
