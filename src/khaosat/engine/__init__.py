"""Query engines and the portable queries they run: DuckDB at home, others behind the same three methods."""
