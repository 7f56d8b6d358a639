"""What runs in the user's Python rather than in ours: nothing here imports nb2prod."""
