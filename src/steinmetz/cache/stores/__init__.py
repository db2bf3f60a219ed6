"""Where kept answers lie: behind one small port."""
