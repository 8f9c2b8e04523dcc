"""How fast it is: each module has `run()`, which gives rows of results; `python -m benchmarks` prints them all."""
