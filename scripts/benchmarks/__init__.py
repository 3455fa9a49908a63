"""What ``scripts/bench`` measures, one module per question. Each heavy part runs in a process of its own."""
