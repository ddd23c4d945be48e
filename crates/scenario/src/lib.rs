//! The scenario file: format, schema, diagnostics, lowering to a setup.
