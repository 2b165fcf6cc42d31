"""What goes with what across survey and dossiers, and whether a policy made a difference."""

from khaosat.evaluate.lateness_effects import satisfaction_and_lateness
from khaosat.evaluate.policy import policy_effect
from khaosat.evaluate.unit_quarters import unit_panel

__all__ = ["policy_effect", "satisfaction_and_lateness", "unit_panel"]
