"""Is it right? Both engines side by side, and the four equations against numerical derivatives."""
