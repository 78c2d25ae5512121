"""The epoch loop over whatever engine does the work, and what it shows and measures."""
