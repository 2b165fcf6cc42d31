"""An invented city: its one-stop dossiers and a survey of the same people, with the truths that were planted in it."""

from khaosat.sample.write import write_sample

__all__ = ["write_sample"]
