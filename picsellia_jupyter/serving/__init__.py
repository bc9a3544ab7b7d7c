"""The serving kernel: a front that speaks HTTP and a worker that holds the model."""
