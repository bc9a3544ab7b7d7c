"""What a look at an image costs: time, bytes, frames; beside matplotlib, Pillow and supervision."""
