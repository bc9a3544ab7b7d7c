"""One module a step: `r0001`, then `r0002`, and so on."""
