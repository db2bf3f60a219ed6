"""Long work: jobs and their items."""
