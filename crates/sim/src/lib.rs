//! The world: binds machines, network, chance, triggers and observers.
