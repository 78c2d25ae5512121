"""The two engines behind one interface, and what they are saved as."""
