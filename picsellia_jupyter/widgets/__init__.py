"""What must answer while it is shown: forms of core ipywidgets, whose work runs in threads."""
