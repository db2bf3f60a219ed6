"""Which indexes a workload wants, and the proof: candidates, what-if, selection, verification."""
