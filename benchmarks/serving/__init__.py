"""Our serving kernel beside what a user would pick instead, in one run, on one workload.

*Workload A* is real work of the CPU: a convolutional detector (about 430 MFLOP, 0.28 M
parameters, 3 x 320 x 320, random weights, exported at run time) and 32 synthetic JPEGs of
640 x 480. Every server gets the same multipart request and runs the same `Engine`: the model by
onnxruntime, one thread a process, the same decoder, the same 20 boxes as JSON. So it is the
servers that differ. The *limit* is what two processes reach that do nothing but loop over that
engine; it is measured right before and right after every server, and figures are its ratios.

*Workload B* is an accelerator that is only simulated: a batch of n holds it 8 ms + 0.5 ms x n,
of up to 8 images, which takes no CPU. It shows what batching does.
"""
