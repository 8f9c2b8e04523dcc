"""Contract suites and hypothesis strategies: what an implementation of a contract is tested with."""
