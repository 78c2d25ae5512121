"""What a user gives, checked once: behind it everything may rely on it."""
