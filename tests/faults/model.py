"""What must be true at the end, whatever was done to the stack: history, books and gateway held against each other.

Pure: values in, violations out. Each rule is a generator of what breaks it, and `test_model.py` breaks each.
"""

from tests.faults import asked_rules, outside_rules, standing_rules
from tests.faults.evidence import Evidence, Violation

RULES = (*asked_rules.RULES, *outside_rules.RULES, *standing_rules.RULES)


def violations(evidence: Evidence) -> list[Violation]:
    """Everything that is wrong; empty if the wallet has held."""
    return [violation for rule in RULES for violation in rule(evidence)]
