"""History for supervisors: figures of past intervals, comparisons, heat map, forecast, exports."""
