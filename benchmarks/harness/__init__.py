"""What all benchmarks share: processes on their own core, CPU time, rounds, confidence, peers, reports."""
