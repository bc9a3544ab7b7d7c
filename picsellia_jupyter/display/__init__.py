"""What only has to be seen: pictures, charts and cards, drawn from values alone."""
