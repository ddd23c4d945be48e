//! From a scene to a file: SVG, PNG, text.

pub(crate) mod geometry;
pub(crate) mod png;
pub(crate) mod svg;
pub(crate) mod text;
