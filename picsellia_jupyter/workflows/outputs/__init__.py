"""What a user's own model put out, as our predictions."""
