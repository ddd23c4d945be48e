//! Guarantees, checkers and verdicts over a stream of facts, with explanations.
