"""The forkserver's first import: warnings are errors, as PYTHONWARNINGS says; what a library lets pass comes before."""

import warnings

warnings.simplefilter("error")
