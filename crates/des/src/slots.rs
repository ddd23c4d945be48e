//! An index arena: values live in slots, and a slot that was freed is used again.

/// Values addressed by a small index. A copy is flat.
#[derive(Debug)]
pub struct Slots<T> {
    slots: Vec<T>,
    free: Vec<u32>,
}

impl<T> Slots<T> {
    /// An empty arena.
    pub const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }

    /// Puts a value into a free slot.
    #[inline]
    pub fn insert(&mut self, value: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = value;
            return slot;
        }
        let slot = u32::try_from(self.slots.len()).expect("an arena has at most 2^32 slots");
        self.slots.push(value);
        slot
    }

    /// Frees a slot. What is in it stays readable until the slot is used again.
    #[inline]
    pub fn free(&mut self, slot: u32) {
        debug_assert!(!self.free.contains(&slot), "a slot is freed once");
        self.free.push(slot);
    }

    /// How many slots are in use.
    pub fn used(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// A free slot with whatever it held before, if there is one: for values whose memory is
    /// worth keeping.
    #[inline]
    pub fn reuse(&mut self) -> Option<u32> {
        self.free.pop()
    }

    /// Frees every slot; keeps the memory, forgets the values.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.free.clear();
    }
}

impl<T: Default> Slots<T> {
    /// Frees a slot and takes what is in it.
    #[inline]
    pub fn take(&mut self, slot: u32) -> T {
        let value = std::mem::take(&mut self.slots[slot as usize]);
        self.free(slot);
        value
    }
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone> Clone for Slots<T> {
    fn clone(&self) -> Self {
        Self { slots: self.slots.clone(), free: self.free.clone() }
    }

    fn clone_from(&mut self, source: &Self) {
        self.slots.clone_from(&source.slots);
        self.free.clone_from(&source.free);
    }
}

impl<T> std::ops::Index<u32> for Slots<T> {
    type Output = T;

    #[inline]
    fn index(&self, slot: u32) -> &T {
        &self.slots[slot as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slots<T> {
    #[inline]
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.slots[slot as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_slot_is_used_again() {
        let mut slots = Slots::new();
        let (a, b) = (slots.insert("a"), slots.insert("b"));
        slots.free(a);
        assert_eq!(slots.used(), 1);
        assert_eq!(slots.insert("c"), a);
        assert_eq!((slots[a], slots[b]), ("c", "b"));
        assert_eq!(slots.take(b), "b");
        assert_eq!(slots.used(), 1);
    }
}
