"""Reports for people: figures and tables computed once, written as a page, on paper, as a sheet or as plain rows."""
