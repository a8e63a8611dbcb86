"""点検: everything a careful colleague would notice before a job goes out, found by really building every mail."""

from .finding import Finding, Fix, PersonRef
from .inspect import Inspection, inspect
from .survey import Sample

__all__ = ["Finding", "Fix", "Inspection", "PersonRef", "Sample", "inspect"]
