"""Serving on a GPU: `python -m benchmarks.gpu [--device cuda:0] [--quick]`.

It needs this repository's files, torch, numpy, Pillow, psutil and pytest, and for the whole kernel
the package's extra `serving`; nothing is fetched. Each step is a process of its own with a limit
of its own, so that one that hangs is ended, told of and passed over.

- *tests*: `tests/serving/runtimes/test_cuda.py`.
- *sandbox*: what hostile code tries in the sandbox, with graphics cards let in.
- *memory*: another process takes the card's memory while a worker serves. The worker must get
  torch's own OutOfMemoryError, halve its batches, answer every photo, and serve on afterwards.
- *kernel*: the whole serving kernel over HTTP, and the same with a model that takes one photo at
  a time.
- *raw*: the engine, photo by photo, in one thread: decode, copy, run, read.
- *pool*: workers in their sandbox behind the queue, one to four on the same card, without HTTP.
- *alone*: the model on tensors that are on the card already.

`--device cpu --quick` tries the steps that need no card.
"""
