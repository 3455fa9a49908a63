"""One trace for each call, for whoever wants to see where its seconds went (OpenTelemetry)."""
