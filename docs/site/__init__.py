"""The documentation site: pages of this folder, and pages made of the code they are about.

`python -m docs.site` (`make docs`) stages everything in `build/docs` and builds `build/site`.
"""
