"""The kit that all dashboards are built with: queries, units, panels, tables, maps, variables, and the page itself."""
