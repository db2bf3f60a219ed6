"""Before and after: marks, plan history, and the verdict on a change."""
