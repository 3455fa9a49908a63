"""What Prometheus and Grafana are given: rules, alerts, runbook, dashboards; see scripts/dashboards."""
