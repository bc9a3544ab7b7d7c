"""What a user holds: live values that show themselves and can be asked for more."""
