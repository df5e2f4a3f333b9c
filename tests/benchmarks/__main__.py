"""`python -m tests.benchmarks [NAME …]`: run all benchmarks, or those named, and print one table."""

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import (
    analyses,
    analyze,
    answer_times,
    dashboards,
    documents,
    drain,
    health,
    imports,
    influx,
    late_rows,
    live_page,
    memory,
    pushes,
    replay,
    reports,
    start,
    storage_size,
)
from tests.benchmarks.figures import Figure, table

BENCHMARKS: dict[str, Callable[[Path], list[Figure]]] = {
    "pushes": pushes.figures,
    "answer_times": answer_times.figures,
    "memory": memory.figures,
    "documents": documents.figures,
    "drain": drain.figures,
    "replay": replay.figures,
    "imports": imports.figures,
    "storage_size": storage_size.figures,
    "start": start.figures,
    "influx": influx.figures,
    "analyses": analyses.figures,
    "dashboards": dashboards.figures,
    "analyze_few": analyze.few_rows,
    "analyze_fleet": analyze.fleet,
    "health": health.figures_of_health,
    "late": late_rows.figures,
    "reports": reports.figures,
    "live_page": live_page.figures,
}


def main(names: Sequence[str]) -> None:
    """Run the benchmarks and print their figures."""
    if unknown := set(names) - set(BENCHMARKS):
        sys.exit(f"no benchmark {', '.join(sorted(unknown))}; there are: {', '.join(BENCHMARKS)}")
    figures: list[Figure] = []
    for name in names or BENCHMARKS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            figures += BENCHMARKS[name](Path(folder))
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    print("\n".join(table([*figures, *_drain_per_push(figures)])))


def _drain_per_push(figures: Sequence[Figure]) -> list[Figure]:
    median = {figure.what: figure.median for figure in figures if figure.values}
    if not {drain.DRAIN, pushes.DURABLE} <= set(median):
        return []
    return [Figure("drained ÷ durable pushes", [median[drain.DRAIN] / median[pushes.DURABLE]], bar=1)]


if __name__ == "__main__":
    main(sys.argv[1:])
