//! Whole stories: golden scenarios, laws, the command line.
