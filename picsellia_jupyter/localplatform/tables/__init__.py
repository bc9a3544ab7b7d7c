"""Tables of the database, one module a noun."""
