"""Tidy rows to tables and figures: the only place that rounds results and lays them out."""
