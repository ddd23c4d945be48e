//! Each rule that can be broken on purpose, in a story that is fine until it is broken: the checkers
//! that guard the rule turn red, and no others do.

mod answers;
mod complete;
mod durability;
mod sequences;
mod story;
mod transactions;
