"""Ask what was collected: tables in → pure LazyFrame functions → tables out."""
