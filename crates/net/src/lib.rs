//! Links and connections between nodes: delay, bandwidth, order, cuts. Carries any payload.
