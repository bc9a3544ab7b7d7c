"""The program that does one training run; a process of its own beside the local platform."""
