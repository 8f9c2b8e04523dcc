"""Durable work: submitted once, done by worker processes, kept through kills; knows no task by itself."""
