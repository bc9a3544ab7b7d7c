"""How fast a request reaches a serving kernel, by each way that there is.

The same small app in each kernel: a form of 80 kB in, 1 kB of JSON out, and 5 ms of work in a
process of its own. The clients are a third process.
"""
